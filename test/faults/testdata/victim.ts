import { type ChildProcess, fork } from "node:child_process";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { onTestFinished } from "vitest";
import type { Ended } from "./victim-side.ts";

/** How one operation of a victim ended. */
export interface Outcome extends Ended {
  readonly what: string;
}

/** What no operation may take more of. */
export interface Limits {
  /** MiB of memory of the whole process. */
  readonly memory: number;
  readonly seconds: number;
}

/**
 * Runs tasks in a process of its own, which is killed when an operation of one takes too much. The next task gets a
 * new process then.
 * The module calls `serveTasks` of victim-side.ts.
 */
export class Victim {
  readonly #module: string;
  readonly #env: Readonly<Record<string, string>>;
  readonly #limits: Limits;
  #child: ChildProcess | undefined;

  constructor(module: string, env: Readonly<Record<string, string>>, limits: Limits) {
    this.#module = join(import.meta.dirname, module);
    this.#env = env;
    this.#limits = limits;
    onTestFinished(() => void this.#child?.kill("SIGKILL"));
  }

  /** @returns how each operation of the task ended, the one that took too much last */
  run(task: object): Promise<Outcome[]> {
    const child = (this.#child ??= this.#start());
    const outcomes: Outcome[] = [];
    return new Promise((resolve) => {
      let what = "start";
      let since = performance.now();
      const seconds = () => (performance.now() - since) / 1000;
      const end = (problem?: string) => {
        clearInterval(watching);
        child.removeAllListeners("message").removeAllListeners("exit");
        if (problem !== undefined)
          outcomes.push({ what, status: null, said: problem, peak: memoryOf(child, "VmHWM"), seconds: seconds() });
        // What the process did not give back would count in the next task.
        if (problem !== undefined || memoryOf(child, "VmRSS") > 0.75 * this.#limits.memory) {
          child.kill("SIGKILL");
          this.#child = undefined;
        }
        resolve(outcomes);
      };
      const watching = setInterval(() => {
        if (memoryOf(child, "VmRSS") > this.#limits.memory) end("killed: it took too much memory");
        else if (seconds() > this.#limits.seconds) end("killed: it took too long");
      }, 20);
      child.on("message", (message: { begin: string } | { ended: Ended } | "done") => {
        if (message === "done") return end();
        if ("begin" in message) {
          what = message.begin;
          since = performance.now();
        } else outcomes.push({ what, ...message.ended });
      });
      child.once("exit", (code, signal) => end(`the process ended: ${code ?? signal}`));
      child.send(task);
    });
  }

  #start(): ChildProcess {
    return fork(this.#module, [], {
      execArgv: ["--disable-warning=ExperimentalWarning", "--expose-gc"],
      env: { PATH: process.env["PATH"] ?? "", ...this.#env },
      stdio: ["ignore", "ignore", "inherit", "ipc"],
    });
  }
}

/** MiB, by a field of /proc/PID/status. 0 for a process that has ended. */
function memoryOf({ pid }: ChildProcess, field: "VmRSS" | "VmHWM"): number {
  try {
    const status = readFileSync(`/proc/${pid}/status`, "utf8");
    return Number(new RegExp(`^${field}:\\s+(\\d+) kB$`, "m").exec(status)?.[1] ?? 0) / 1024;
  } catch {
    return 0;
  }
}

/** What is wrong with an outcome. Undefined: nothing. */
export function problemOf({ status, said, peak, seconds }: Outcome, limits: Limits): string | undefined {
  if (status === null) return said;
  if (![0, 1, 2].includes(status)) return `status ${status}`;
  if (/^\s+at .+:\d+/m.test(said)) return `a stack trace: ${said.slice(0, 400)}`;
  if (status !== 0 && said.trim() === "") return `status ${status} without a word`;
  if (peak > limits.memory) return `${Math.round(peak)} MiB of memory`;
  if (seconds > limits.seconds) return `${seconds.toFixed(1)} s`;
  return undefined;
}
