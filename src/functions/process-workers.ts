import { spawn } from "node:child_process";
import { once } from "node:events";
import type { Duplex } from "node:stream";
import { requireInPlace } from "../containers/volumes.ts";
import { messageOf } from "../core/errors.ts";
import { flow } from "../core/flow.ts";
import { signalGroup } from "../core/process-group.ts";
import { statusOf } from "../core/run-program.ts";
import { LocalSecrets } from "../secrets/local.ts";
import { resolveVariables } from "../secrets/variables.ts";
import { protocolVersion } from "./frames.ts";
import type { Program } from "./program-protocol.ts";
import { roomHere } from "./room.ts";
import { grace, RunningWorkers } from "./running-workers.ts";
import type { Worker, WorkerEngine, WorkerGroup, WorkerListener, WorkerSpec } from "./worker.ts";
import { workerVariables } from "./worker-variables.ts";

/** Two descriptors: a failed write destroys a socket in Node, with replies that nobody has read yet. */
const [calls, replies] = [3, 4] as const;

/**
 * Workers that are processes of this machine. A function behaves as in a container: only values pass, and it has its
 * own module state. It keeps the program's environment, because local programs need it.
 */
export class ProcessWorkers implements WorkerEngine {
  readonly kind = "process";
  readonly #program: Program;
  readonly #files: string | undefined;

  constructor(program: Program, files: string | undefined) {
    this.#program = program;
    this.#files = files;
  }

  room({ resources }: WorkerSpec): number {
    return roomHere(resources);
  }

  async open(spec: WorkerSpec): Promise<WorkerGroup> {
    await requireInPlace(spec.volumes ?? {});
    const { values } = await resolveVariables(spec.env, [new LocalSecrets(this.#program.env)]);
    // Paths of functions are relative to the current folder, as in an image.
    const { BUILD_WORKING_DIRECTORY: _, ...programEnv } = this.#program.env;
    const env = {
      ...programEnv,
      ...values,
      [workerVariables.version]: String(protocolVersion),
      [workerVariables.channel]: `fd:${calls},${replies}`,
      ...(this.#files === undefined ? {} : { [workerVariables.files]: this.#files }),
    };
    const running = new RunningWorkers();
    const [file = "", ...words] = [...this.#program.command, ...spec.programArguments];
    const start = (listener: WorkerListener) =>
      startProcess([file, words], { env, cwd: this.#program.directory }, listener, running);
    return { start, close: () => running.ended() };
  }
}

function startProcess(
  [file, words]: readonly [string, readonly string[]],
  options: { readonly env: Readonly<Record<string, string>>; readonly cwd: string },
  listener: WorkerListener,
  running: RunningWorkers,
): Worker {
  const child = spawn(file, words, {
    ...options,
    stdio: ["ignore", "pipe", "pipe", "pipe", "pipe"],
    // In its own group, what it starts ends with it.
    detached: true,
  });
  const send = (signal: NodeJS.Signals) => child.pid !== undefined && signalGroup(child.pid, signal);
  const input = child.stdio[calls] as Duplex | null;
  const output = child.stdio[replies] as Duplex | null;
  child.once("spawn", () => {
    listener.onStart();
    listener.onConnect();
  });
  for (const line of [input, output]) line?.on("error", () => {});
  if (output) flow(output, listener.onData);
  for (const printed of [child.stdout, child.stderr]) if (printed) flow(printed, listener.onOutput);
  child.once("exit", () => send("SIGKILL"));
  const closed = Promise.race([once(child, "close"), once(child, "error")]).then(([code, signal]) => {
    if (code instanceof Error) {
      const reason = {
        problem: `${file} cannot be started: ${messageOf(code)}.`,
        remedy: "Run fewer at once, or raise the limits of open files and processes (`ulimit -n`, `ulimit -u`).",
      };
      listener.onEnd({ status: 127, reason });
    } else listener.onEnd({ status: statusOf(code, signal) });
  });
  const stop = async () => {
    send("SIGTERM");
    const timer = setTimeout(() => send("SIGKILL"), grace);
    await closed.finally(() => clearTimeout(timer));
  };
  return running.add(closed, () => input, stop);
}
