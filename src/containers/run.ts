import { type ChildProcess, spawn } from "node:child_process";
import { randomBytes } from "node:crypto";
import { once } from "node:events";
import { type FSWatcher, statSync, watch } from "node:fs";
import { dirname } from "node:path";
import type { Environment } from "../core/environment.ts";
import { flow, type Sink, writeTo } from "../core/flow.ts";
import { heartbeat, patience } from "../core/heartbeat.ts";
import { interruptible } from "../core/interrupts.ts";
import { signalGroup } from "../core/process-group.ts";
import { runProgram, statusOf } from "../core/run-program.ts";
import { runArguments } from "./arguments.ts";
import type { ContainerClient } from "./client.ts";
import { checkDocker } from "./docker-daemon.ts";
import { divideEnvironment } from "./environment.ts";
import { clientFailure, isRefusal, oneLine } from "./failure.ts";
import { LastWords } from "./last-words.ts";
import { processLimits } from "./process-limits.ts";
import { checkReach } from "./reach.ts";
import type { ContainerRun } from "./run-description.ts";
import { type Login, makeRunFolder } from "./run-folder.ts";
import { otherRuntime } from "./runtime.ts";

export interface ContainerRunOptions {
  /** For the image's registry; by default the user's own logins are used. */
  readonly login?: Login;
  /** Pulls with Slipway's credential after the registry refused the client. False: there is none. */
  readonly pull?: (image: string) => Promise<boolean>;
  /** The client's own environment; none of it reaches the container. */
  readonly env?: Environment;
  /** For the container's standard error and our own remarks; by default this process's. */
  readonly onStderr?: Sink;
  /** How long a container may take to end after it was asked to, in milliseconds; 5000 by default. */
  readonly grace?: number;
  /** Ends the container, as SIGTERM to this process does. */
  readonly signal?: AbortSignal;
  readonly onCreated?: () => void;
  /** The container's name, by which it can be removed; by default one that nobody else has. */
  readonly name?: string;
}

/** Set once podman's default runtime has failed on this machine and runc is there. */
let runtime: string | undefined;

/**
 * Runs an image in a new container, which gets SIGINT and SIGTERM, and leaves nothing behind.
 *
 * @returns the program's exit status; 128 and the signal's number when killed
 * @throws UserError with the client's words if the program does not start
 */
export async function runContainer(
  client: ContainerClient,
  run: ContainerRun,
  options: ContainerRunOptions = {},
): Promise<number> {
  const env = options.env ?? process.env;
  const onStderr = options.onStderr ?? ((data: Buffer) => writeTo(process.stderr, data));
  checkReach(client, run.image, env);
  if (client.name === "docker") await checkDocker(env);
  let { status, words } = await attempt(client, run, { ...options, env, onStderr });
  if (options.login === undefined && isRefusal(words) && (await pullAgain(client, run.image, onStderr, options.pull))) {
    ({ status, words } = await attempt(client, run, { ...options, env, onStderr }));
  }
  if (words === "") return status;
  const runc = otherRuntime(client, words, env);
  if (runtime !== undefined || runc === undefined) throw clientFailure(client, run.image, status, words);
  runtime = runc;
  onStderr(Buffer.from(`slipway: crun does not work on this machine (${oneLine(words)}); using ${runc}\n`));
  return runContainer(client, run, options);
}

async function pullAgain(
  client: ContainerClient,
  image: string,
  onStderr: Sink,
  pull: ContainerRunOptions["pull"],
): Promise<boolean> {
  if (pull === undefined) return false;
  const write = (line: string) => void onStderr(Buffer.from(`slipway: ${line}\n`));
  const endHeartbeat = heartbeat(`${client.name} is pulling ${image}`, { after: patience, write });
  return pull(image).finally(endHeartbeat);
}

/** @returns the program's status, or the client's with its last words */
async function attempt(
  client: ContainerClient,
  run: ContainerRun,
  options: ContainerRunOptions & Required<Pick<ContainerRunOptions, "env" | "onStderr">>,
): Promise<{ readonly status: number; readonly words: string }> {
  const name = options.name ?? `slipway-${randomBytes(8).toString("hex")}`;
  const { inherited, file } = divideEnvironment(run.env);
  using folder = makeRunFolder(client, run.image, file, options.login ? { login: options.login } : {}, options.env);
  const settings = { name, folder, inherited: Object.keys(inherited), limits: processLimits() };
  try {
    const child = spawn(client.path, runArguments(client, run, runtime ? { ...settings, runtime } : settings), {
      env: { ...options.env, ...inherited, ...folder.variables },
      stdio: run.attached ? ["inherit", "inherit", "pipe"] : ["pipe", "pipe", "pipe"],
      // A process group of its own: the terminal's signals reach the client once, by us.
      detached: true,
    });
    // One that cannot be started may have no streams.
    await once(child, "spawn");
    const ended = once(child, "close") as Promise<[number | null, NodeJS.Signals | null]>;
    const words = new LastWords(options.onStderr);
    const { stdin, stdout, stderr } = child;
    stdin?.on("error", () => {});
    if (stdin && run.onStdin) run.onStdin(stdin);
    else stdin?.end(run.stdin ?? "");
    if (stdout) flow(stdout, run.onStdout);
    if (stderr) flow(stderr, (chunk) => words.write(chunk));
    const endHeartbeat = heartbeat(`${client.name} is pulling ${run.image}`, {
      after: patience,
      write: (line) => {
        if (hasContent(folder.containerIdFile)) endHeartbeat();
        else void options.onStderr(Buffer.from(`slipway: ${line}\n`));
      },
    });
    const watcher = options.onCreated && whenFilled(folder.containerIdFile, options.onCreated);

    let isKilled = false;
    const kill = () => {
      isKilled = true;
      // A client may not even respond to the removal of its container.
      void removeContainer(client, name, options.env).finally(() => child.pid && signalGroup(child.pid, "SIGKILL"));
    };
    const stop = async (signal: NodeJS.Signals) => {
      child.kill(signal);
      const timer = setTimeout(kill, options.grace ?? 5000);
      await ended.finally(() => clearTimeout(timer));
      await removeContainer(client, name, options.env);
    };
    const work = run.attached ? handingOn(child, ended, kill) : interruptible(ended, stop, options.signal);
    const [code, signal] = await work.finally(() => {
      endHeartbeat();
      watcher?.close();
    });
    // A client whose container was taken away from it may well report success.
    const status = isKilled ? 137 : statusOf(code, signal);
    // Only the client ends with one of these statuses and words of its own.
    if (status >= 125 && status <= 127) return { status, words: words.take() };
    words.flush();
    return { status, words: "" };
  } catch (error) {
    return { status: 127, words: `it cannot be started: ${error instanceof Error ? error.message : String(error)}` };
  }
}

const handedOn = ["SIGINT", "SIGTERM", "SIGHUP", "SIGQUIT", "SIGWINCH", "SIGUSR1", "SIGUSR2"] as const;

/** The program decides what a signal does, except that the second SIGINT or SIGTERM ends its container. */
async function handingOn<Result>(child: ChildProcess, ended: Promise<Result>, kill: () => void): Promise<Result> {
  let ends = 0;
  const handOn = (signal: NodeJS.Signals) => {
    child.kill(signal);
    if (signal === "SIGINT" || signal === "SIGTERM") ends += 1;
    if (ends === 2) kill();
  };
  for (const signal of handedOn) process.on(signal, handOn);
  try {
    return await ended;
  } finally {
    for (const signal of handedOn) process.removeListener(signal, handOn);
  }
}

function whenFilled(path: string, onFilled: () => void): FSWatcher | undefined {
  // If changes cannot be watched, the end of the run tells it.
  try {
    const watcher = watch(dirname(path), () => {
      if (!hasContent(path)) return;
      watcher.close();
      onFilled();
    });
    return watcher.on("error", () => {});
  } catch {
    return undefined;
  }
}

/** docker makes the file when it starts, and fills it once the container exists. */
function hasContent(path: string): boolean {
  return (statSync(path, { throwIfNoEntry: false })?.size ?? 0) > 0;
}

export async function removeContainer(client: ContainerClient, name: string, env: Environment): Promise<void> {
  const args = client.name === "podman" ? ["rm", "--force", "--ignore", "--time=0", name] : ["rm", "--force", name];
  await runProgram(client.path, args, { env, time: 10_000, onInterrupt: "outlive" }).catch(() => {});
}
