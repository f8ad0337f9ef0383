import { spawn } from "node:child_process";
import { randomBytes } from "node:crypto";
import { once } from "node:events";
import { closeSync, existsSync, openSync, writeSync } from "node:fs";
import { rm, writeFile } from "node:fs/promises";
import { constants } from "node:os";
import { resolve } from "node:path";
import type { Readable, Writable } from "node:stream";
import { requireContainerClient } from "../containers/client.ts";
import { embeddedLogin } from "../containers/login.ts";
import { pullWithAccess } from "../containers/pull.ts";
import { runContainer } from "../containers/run.ts";
import { findExecutable, isExecutable } from "../core/executables.ts";
import { takeLock } from "../core/lock.ts";
import { killGroup, killMarked, patience, signalGroup } from "../core/process-group.ts";
import { startTimeOf } from "../core/processes.ts";
import { nonceVariable, ResultReader } from "../core/protocol.ts";
import { statusOf } from "../core/run-program.ts";
import { timeLimitSignal } from "../core/time-limit.ts";
import type { RunnableImage } from "../oci/runnable-image.ts";
import { LocalSecrets } from "../secrets/local.ts";
import { resolveVariables } from "../secrets/variables.ts";
import { hasEnded } from "./engine.ts";
import {
  containerName,
  findJobFolder,
  type JobFolder,
  type JobRecord,
  jobsFolder,
  readProgram,
  readRecord,
  writeRecord,
} from "./job-folder.ts";
import { jobVariable, type Program } from "./program.ts";
import { maximumResult } from "./runners.ts";

const grace = 5000;

interface Attempt {
  readonly status: Promise<number>;
  readonly pid?: number;
  readonly release?: () => void;
  readonly stop: () => Promise<void>;
}

type Sinks = Readonly<Record<"stdout" | "stderr", (data: Buffer) => void>>;

export function superviseById(id: string): Promise<void> {
  return superviseJob(findJobFolder(jobsFolder(process.env), id));
}

/** Runs all attempts of a job and records how it ends. Has a process of its own; SIGTERM cancels the job. */
export async function superviseJob(folder: JobFolder): Promise<void> {
  const lock = takeLock(folder.lock);
  if (!lock) return;
  let record = await readRecord(folder);
  if (hasEnded(record)) return lock.release();
  const program = await readProgram(folder);
  const note = async (change: Partial<JobRecord>) => {
    record = { ...record, ...change };
    await writeRecord(folder, record);
  };
  const cancellation = new AbortController();
  const cancel = () => cancellation.abort();
  process.on("SIGTERM", cancel);
  const descriptors = [openSync(folder.stdout, "a"), openSync(folder.stderr, "a")] as const;
  try {
    const startTime = startTimeOf(process.pid);
    const supervisor = { pid: process.pid, ...(startTime === undefined ? {} : { startTime }) };
    await note({ ...supervisor, state: "running", started: new Date().toISOString() });
    let end: Partial<JobRecord> = {};
    for (let attempt = 0; attempt <= program.retries; attempt += 1) {
      if (cancellation.signal.aborted || existsSync(folder.cancelled)) {
        end = { state: "cancelled" };
        break;
      }
      await note({ attempts: attempt + 1 });
      try {
        end = await runAttempt(folder, program, descriptors, cancellation.signal, (group) => note({ group }));
        if (end.state !== "failed" || attempt === program.retries) break;
        writeSync(descriptors[1], `slipway: ${retryWords(end, attempt + 1, program)}\n`);
      } catch (error) {
        // It would not start another time either.
        end = { state: "failed", exitStatus: 127, reason: error instanceof Error ? error.message : String(error) };
        break;
      }
    }
    const { group: _, ...rest } = { ...record, ...end };
    record = { ...rest, ended: new Date().toISOString() };
    await writeRecord(folder, record);
  } finally {
    for (const descriptor of descriptors) closeSync(descriptor);
    process.removeListener("SIGTERM", cancel);
    lock.release();
  }
}

function retryWords({ exitStatus, reason }: Partial<JobRecord>, attempt: number, { retries }: Program): string {
  const how = exitStatus === undefined ? "" : ` with status ${exitStatus}`;
  return `attempt ${attempt} of ${retries + 1} failed${how}; trying again${reason === undefined ? "" : `. ${reason}`}`;
}

/** @throws what keeps the program from starting */
async function runAttempt(
  folder: JobFolder,
  program: Program,
  [stdout, stderr]: readonly [number, number],
  cancellation: AbortSignal,
  started: (group: NonNullable<JobRecord["group"]>) => Promise<void>,
): Promise<Partial<JobRecord>> {
  const nonce = randomBytes(16).toString("hex");
  let unwritten: Error | undefined;
  let attempt: Attempt | undefined;
  const print = (descriptor: number) => (data: Buffer) => {
    if (unwritten) return;
    try {
      for (let at = 0; at < data.length; ) at += writeSync(descriptor, data, at);
    } catch (error) {
      unwritten = error as Error;
      void attempt?.stop();
    }
  };
  const reader = program.isFunction ? new ResultReader(nonce, maximumResult + 64 * 1024, print(stdout)) : undefined;
  const sinks = { stdout: reader ? (data: Buffer) => reader.write(data) : print(stdout), stderr: print(stderr) };
  const { values } = await resolveVariables(program.env, [new LocalSecrets(process.env)]);
  const env = { ...values, ...(reader ? { [nonceVariable]: nonce } : {}) };
  const late = program.timeLimit === undefined ? undefined : timeLimitSignal(program.timeLimit);
  try {
    // Only the last attempt answers.
    await rm(folder.reply, { force: true });
    attempt =
      program.image === undefined
        ? startProcess(folder, program, env, sinks)
        : startContainer(folder, program, program.image, env, sinks);
    const { stop: end } = attempt;
    const startTime = attempt.pid === undefined ? undefined : startTimeOf(attempt.pid);
    if (attempt.pid !== undefined && startTime !== undefined) await started({ pid: attempt.pid, startTime });
    attempt.release?.();
    const stop = () => void end();
    const over = AbortSignal.any([cancellation, ...(late ? [late] : [])]);
    over.addEventListener("abort", stop, { once: true });
    if (over.aborted) stop();
    const exitStatus = await attempt.status.finally(() => over.removeEventListener("abort", stop));
    if (cancellation.aborted) return { state: "cancelled", exitStatus };
    if (late?.aborted)
      return { state: "failed", exitStatus, reason: `It took longer than its time limit of ${program.timeLimit} s.` };
    if (unwritten)
      return { state: "failed", exitStatus, reason: `Its output cannot be written: ${unwritten.message}.` };
    const reply = reader?.end();
    if (reply !== undefined) await writeFile(folder.reply, reply, { mode: 0o600 });
    return ended(exitStatus, program, reply !== undefined);
  } catch (error) {
    // A job must not run if its record cannot be written.
    await attempt?.stop();
    throw error;
  }
}

function ended(exitStatus: number, program: Program, hasReply: boolean): Partial<JobRecord> {
  if (exitStatus === 0 && program.isFunction && !hasReply) {
    return { state: "failed", exitStatus: 1, reason: "It ended before its function gave a result." };
  }
  if (exitStatus === 0) return { state: "succeeded", exitStatus };
  if (exitStatus - 128 !== constants.signals.SIGKILL) return { state: "failed", exitStatus };
  const { memory } = program.resources;
  const reason =
    memory === undefined || program.image === undefined
      ? "It was killed, most often because the machine ran out of memory. Give it less to do."
      : `It was killed, most often because it used more than ${memory} bytes of memory. Give it more (resources: memory), or less to do.`;
  return { state: "failed", exitStatus, reason };
}

/** Becomes the program only after a line on descriptor 3, when its process is recorded. */
const gate = 'read -r _ <&3 || exit 125; exec 3<&-; exec "$0" "$@"';

function startProcess(
  folder: JobFolder,
  program: Program,
  env: Readonly<Record<string, string>>,
  sinks: Sinks,
): Attempt {
  const [command = "", ...args] = program.argv;
  const isThere = command.includes("/")
    ? isExecutable(resolve(program.cwd ?? "/", command))
    : findExecutable(command, env) !== undefined;
  if (!isThere) throw new Error(`The program ${command} was not found, or cannot be executed.`);
  const child = spawn("/bin/sh", ["-c", gate, command, ...args], {
    env: { ...env, [jobVariable]: folder.id },
    ...(program.cwd === undefined ? {} : { cwd: program.cwd }),
    stdio: ["pipe", "pipe", "pipe", "pipe"],
    // A process group of its own, so that all it starts ends with it.
    detached: true,
  });
  const [stdin, stdout, stderr, go] = child.stdio as unknown as [Writable, Readable, Readable, Writable];
  for (const stream of [stdin, go]) stream.on("error", () => {});
  stdin.end(program.isFunction ? program.stdin : "");
  stdout.on("data", sinks.stdout);
  stderr.on("data", sinks.stderr);
  const closed = once(child, "close") as Promise<[number | null, NodeJS.Signals | null]>;
  // Processes that the job left behind would keep its pipes open.
  const remains = once(child, "exit").then(async () => {
    if (child.pid !== undefined) await killGroup(child.pid);
    await killMarked(jobVariable, folder.id);
    // Other processes that still hold them do not belong to this job.
    const timer = setTimeout(() => [stdout, stderr].forEach((stream) => void stream.destroy()), patience);
    await closed.finally(() => clearTimeout(timer));
  });
  const status = Promise.all([closed, remains]).then(([[code, signal]]) => statusOf(code, signal));
  const stop = async () => {
    const { pid } = child;
    if (pid === undefined || !signalGroup(pid, "SIGTERM")) return;
    const timer = setTimeout(() => signalGroup(pid, "SIGKILL"), grace);
    await status.catch(() => {}).finally(() => clearTimeout(timer));
  };
  return { status, ...(child.pid === undefined ? {} : { pid: child.pid }), release: () => go.end("go\n"), stop };
}

function startContainer(
  folder: JobFolder,
  program: Program,
  image: RunnableImage,
  env: Readonly<Record<string, string>>,
  sinks: Sinks,
): Attempt {
  const stopping = new AbortController();
  const run = async () => {
    const login = await embeddedLogin(image);
    const client = requireContainerClient(process.env);
    return runContainer(
      client,
      {
        image,
        ...(program.entrypoint === undefined ? {} : { entrypoint: program.entrypoint }),
        programArguments: program.argv,
        env,
        stdin: program.isFunction ? program.stdin : "",
        onStdout: sinks.stdout,
        network: program.network,
        resources: program.resources,
        mounts: program.mounts,
        ...(program.cwd === undefined ? {} : { workingDir: program.cwd }),
      },
      {
        onStderr: sinks.stderr,
        signal: stopping.signal,
        name: containerName(folder.id),
        pull: () => pullWithAccess(client, image, process.env),
        ...(login ? { login } : {}),
      },
    );
  };
  return { status: run(), stop: async () => stopping.abort() };
}
