import { spawn } from "node:child_process";
import { once } from "node:events";
import type { Run } from "../containers/run-description.ts";
import { flow, type Sink } from "../core/flow.ts";
import { interruptible } from "../core/interrupts.ts";
import { signalGroup } from "../core/process-group.ts";
import { started, statusOf } from "../core/run-program.ts";

/** Milliseconds between SIGTERM and SIGKILL. */
const grace = 5000;

interface ProcessRunOptions {
  /** Default: this process's standard error. */
  readonly onStderr?: Sink;
  /** As a SIGTERM to this process does. */
  readonly signal?: AbortSignal;
}

/**
 * A new process takes 40 ms more than a call, and a function behaves as in a container: only JSON passes, and it has
 * its own module state. It keeps this process's environment, because local programs need it.
 *
 * @returns its exit status; 128 and the signal's number when killed
 * @throws Failure when it cannot be started
 */
export async function runProcess(run: Run, options: ProcessRunOptions = {}): Promise<number> {
  const entry = process.argv[1];
  const program = [...process.execArgv, ...(entry === undefined ? [] : [entry]), ...run.programArguments];
  const starting = spawn(process.execPath, program, {
    env: { ...process.env, ...run.env },
    stdio: ["pipe", "pipe", options.onStderr === undefined ? "inherit" : "pipe"],
    // In its own group, what it starts ends with it. We pass on the terminal's signals.
    detached: true,
  });
  const child = await started(starting, process.execPath, "Check that this Node can be executed.");
  const send = (signal: NodeJS.Signals) => child.pid !== undefined && signalGroup(child.pid, signal);
  child.once("exit", () => send("SIGKILL"));
  const ended = once(child, "close") as Promise<[number | null, NodeJS.Signals | null]>;
  // The exit status reports a process that ends without reading its input.
  child.stdin?.on("error", () => {});
  if (run.holdsStdin) child.stdin?.write(run.stdin);
  else child.stdin?.end(run.stdin);
  if (child.stdout) flow(child.stdout, run.onStdout);
  if (child.stderr && options.onStderr) flow(child.stderr, options.onStderr);

  const stop = async (signal: NodeJS.Signals) => {
    send(signal);
    const timer = setTimeout(() => send("SIGKILL"), grace);
    await ended.finally(() => clearTimeout(timer));
  };
  const [code, signal] = await interruptible(ended, stop, options.signal);
  return statusOf(code, signal);
}
