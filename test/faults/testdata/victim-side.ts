import { AsyncLocalStorage } from "node:async_hooks";
import { readFileSync, writeFileSync } from "node:fs";
import process from "node:process";
import { exitStatusOf, reportOf } from "../../../src/core/errors.ts";

/** How an operation ended, by what the command line would do. */
export interface Ended {
  /** Null: the process did not live to tell. */
  readonly status: number | null;
  /** What it printed, cut. */
  readonly said: string;
  /** MiB that the process had at most meanwhile. */
  readonly peak: number;
  readonly seconds: number;
}

let said = "";
let running = "";
/** Tells the output of an operation from the log of a server in this process. */
const current = new AsyncLocalStorage<string>();

/** Runs one operation and tells the parent how it ended. */
export async function operation(what: string, run: () => Promise<unknown>): Promise<void> {
  globalThis.gc?.();
  // Forgets the peak so far: proc(5).
  writeFileSync("/proc/self/clear_refs", "5");
  process.send?.({ begin: what });
  [said, running] = ["", what];
  process.exitCode = 0;
  const start = performance.now();
  let status = 0;
  try {
    await current.run(what, run);
    status = Number(process.exitCode ?? 0);
  } catch (error) {
    said += `${reportOf(error)}\n`;
    status = exitStatusOf(error);
  }
  const [, kibibytes = "0"] = /^VmHWM:\s+(\d+) kB$/m.exec(readFileSync("/proc/self/status", "utf8")) ?? [];
  const seconds = (performance.now() - start) / 1000;
  process.send?.({ ended: { status, said: said.slice(-2000), peak: Number(kibibytes) / 1024, seconds } satisfies Ended });
}

/** Serves the tasks of a `Victim`. What is printed meanwhile goes to the outcome. */
export function serveTasks<Task>(serve: (task: Task) => Promise<void>): void {
  for (const stream of [process.stdout, process.stderr]) {
    stream.write = ((chunk: string | Uint8Array) => {
      if (current.getStore() === running) said = `${said}${chunk}`.slice(-4000);
      return true;
    }) as typeof stream.write;
  }
  for (const event of ["uncaughtException", "unhandledRejection"] as const) {
    process.on(event, (error: Error) => {
      const ended = { status: 1, said: `${event}: ${error.stack}`, peak: 0, seconds: 0 } satisfies Ended;
      process.send?.({ ended }, () => process.exit(1));
    });
  }
  process.on("message", (task: Task) => void serve(task).then(() => process.send?.("done")));
}
