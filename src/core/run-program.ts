import { type ChildProcess, type StdioOptions, spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync } from "node:fs";
import { constants } from "node:os";
import { pipeline } from "node:stream/promises";
import type { Environment } from "./environment.ts";
import { Failure } from "./errors.ts";
import { heartbeat, patience } from "./heartbeat.ts";
import { interruptible } from "./interrupts.ts";
import { signalGroup } from "./process-group.ts";

/** Default for {@link ProgramOptions.most}: a lock file of conda has some MB. */
const usualOutput = 32 * 1024 * 1024;
/** Bytes of standard error that are kept, the last. */
const keptErrors = 64 * 1024;
/** Milliseconds that the output of a killed program stays open: what it started may hold it. */
const outputGrace = 1000;
const usualRemedy = "Install it, or correct its path.";

/** A program did not start, or did not end by itself. Never has its arguments, which may be secret. */
export class ProgramFailure extends Failure {
  /** `long`: it printed too much. `late`: it did not end in time. */
  readonly reason: "missing" | "unstartable" | "long" | "late";
  /** `problem` without the program and the full stop. */
  readonly how: string;

  constructor(program: string, reason: ProgramFailure["reason"], how: string, remedy: string, cause?: unknown) {
    const code = reason === "missing" ? "program-missing" : "program-failed";
    super({ code, culprit: program }, `${program} ${how}.`, remedy, { cause });
    this.reason = reason;
    this.how = how;
  }
}

export interface ProgramOptions {
  readonly env?: Environment;
  readonly cwd?: string;
  /** Its standard input. Default: empty. */
  readonly input?: string | AsyncIterable<Uint8Array> | readonly Uint8Array[] | undefined;
  /** Its standard input is this process's. */
  readonly isInteractive?: boolean;
  readonly most?: number;
  /** Milliseconds that it may run. Default: no limit. */
  readonly time?: number;
  readonly signal?: AbortSignal | undefined;
  /**
   * What a signal to this process does before this process ends. `pass`: the program gets it. `kill`: the program and
   * all that it started are killed, also after an abort and in the other cases in which it is ended. `outlive`: it goes
   * on, also where a terminal sends the signal to all; the only one that may run while a signal is handled. Default:
   * nothing.
   */
  readonly onInterrupt?: "pass" | "kill" | "outlive";
  /** Gets its standard error too, as it comes. "inherit": this process's, and nothing is kept. */
  readonly onStderr?: ((chunk: Buffer) => void) | "inherit";
  /** Prints that this is waited for, if it takes long. */
  readonly notice?: string;
  /** For a program that cannot be started. */
  readonly remedy?: string;
}

export interface ProgramResult {
  readonly status: number;
  readonly stdout: string;
  /** The last 64 KiB of it. */
  readonly stderr: string;
}

/** The status with which a process ended, 128 and the signal's number when one killed it, as shells have it. */
export function statusOf(code: number | null, signal: NodeJS.Signals | null): number {
  return code ?? 128 + (signal === null ? 0 : constants.signals[signal]);
}

export async function started<Child extends ChildProcess>(
  child: Child,
  program: string,
  remedy: string,
  cwd?: string,
): Promise<Child> {
  try {
    await once(child, "spawn");
    return child;
  } catch (error) {
    throw unstartable(program, error as NodeJS.ErrnoException, remedy, cwd);
  }
}

function unstartable(program: string, cause: NodeJS.ErrnoException, remedy: string, cwd?: string): ProgramFailure {
  const { code, message } = cause;
  if (code === "ENOENT" && cwd !== undefined && !existsSync(cwd))
    return new ProgramFailure(
      program,
      "unstartable",
      `cannot be started in ${cwd}: there is no such folder`,
      remedy,
      cause,
    );
  if (code === "ENOENT" && !program.includes("/"))
    return new ProgramFailure(program, "missing", "is not on PATH", remedy, cause);
  const advice = /^(EMFILE|ENFILE|EAGAIN)$/.test(code ?? "")
    ? "Run fewer at once, or raise the limits of open files and processes (`ulimit -n`, `ulimit -u`)."
    : remedy;
  const reason = code === "ENOENT" ? "missing" : "unstartable";
  return new ProgramFailure(program, reason, `cannot be started: ${message}`, advice, cause);
}

/** @throws ProgramFailure if it cannot start, prints too much or takes too long; the reason of `signal` */
export async function runProgram(
  program: string,
  args: readonly string[],
  options: ProgramOptions = {},
): Promise<ProgramResult> {
  const { signal, onInterrupt, notice, remedy = usualRemedy } = options;
  signal?.throwIfAborted();
  const child = await started(spawned(program, args, options), program, remedy, options.cwd);
  const closed = once(child, "close") as Promise<[number | null, NodeJS.Signals | null]>;
  const send = (name: NodeJS.Signals) => {
    if (onInterrupt !== "kill") child.kill(name);
    else if (child.pid !== undefined) signalGroup(child.pid, "SIGKILL");
  };
  const release = () => [child.stdout, child.stderr].forEach((stream) => void stream?.destroy());
  let failure: { readonly error: unknown } | undefined;
  const end = (error: unknown) => {
    failure ??= { error };
    send("SIGKILL");
    release();
  };
  const output = collect(child, program, options, end);
  const fed = feed(child, options.input, closed).catch((error: unknown) => {
    failure ??= { error };
  });
  const late = `did not end within ${(options.time ?? 0) / 1000} s`;
  const timer = options.time && setTimeout(() => end(new ProgramFailure(program, "late", late, remedy)), options.time);
  const abort = () => end(signal?.reason);
  signal?.addEventListener("abort", abort, { once: true });
  let grace: NodeJS.Timeout | undefined;
  child.once("exit", (_, killer) => {
    if (killer !== null) grace = setTimeout(release, outputGrace);
  });
  const stop = async (name: NodeJS.Signals) => {
    send(name);
    await closed;
  };
  const endNotice = notice === undefined ? undefined : heartbeat(notice, { after: patience });
  try {
    const isWatched = onInterrupt === "pass" || onInterrupt === "kill";
    const [code, killer] = await (isWatched ? interruptible(closed, stop) : closed);
    await fed;
    if (failure) throw failure.error;
    return { status: statusOf(code, killer), ...output() };
  } finally {
    endNotice?.();
    clearTimeout(timer);
    clearTimeout(grace);
    signal?.removeEventListener("abort", abort);
  }
}

/** As {@link runProgram}. A program that cannot be started ends with status 127, as in a shell. */
export async function tryProgram(...call: Parameters<typeof runProgram>): Promise<ProgramResult> {
  return runProgram(...call).catch((error: unknown) => {
    if (!(error instanceof ProgramFailure) || !["missing", "unstartable"].includes(error.reason)) throw error;
    return { status: 127, stdout: "", stderr: "" };
  });
}

function spawned(program: string, args: readonly string[], options: ProgramOptions): ChildProcess {
  const { env = process.env, cwd, input, isInteractive = false, onStderr, onInterrupt, remedy = usualRemedy } = options;
  const stdin = isInteractive ? "inherit" : input === undefined ? "ignore" : "pipe";
  const detached = onInterrupt === "kill" || onInterrupt === "outlive";
  const stdio: StdioOptions = [stdin, "pipe", onStderr === "inherit" ? "inherit" : "pipe"];
  try {
    return spawn(program, args, { env: { ...env }, stdio, detached, ...(cwd && { cwd }) });
  } catch (error) {
    // Node throws some at once, such as that the arguments are too long.
    throw unstartable(program, error as NodeJS.ErrnoException, remedy);
  }
}

function collect(
  { stdout, stderr }: ChildProcess,
  program: string,
  { most = usualOutput, onStderr, remedy = usualRemedy }: ProgramOptions,
  end: (error: ProgramFailure) => void,
): () => Pick<ProgramResult, "stdout" | "stderr"> {
  const kept: Buffer[] = [];
  let size = 0;
  stdout?.on("data", (chunk: Buffer) => {
    size += chunk.length;
    if (size <= most) kept.push(chunk);
    else end(new ProgramFailure(program, "long", `wrote more than ${most} bytes`, remedy));
  });
  let said = Buffer.alloc(0);
  stderr?.on("data", (chunk: Buffer) => {
    said = Buffer.concat([said, chunk]).subarray(-keptErrors);
    if (typeof onStderr === "function") onStderr(chunk);
  });
  for (const stream of [stdout, stderr]) stream?.on("error", () => {});
  return () => ({ stdout: Buffer.concat(kept).toString(), stderr: said.toString() });
}

/** Writes a program's standard input. A program that ends without reading it is told by its status. */
async function feed({ stdin }: ChildProcess, input: ProgramOptions["input"], closed: Promise<unknown>): Promise<void> {
  if (stdin === null || input === undefined) return;
  await pipeline(typeof input === "string" ? [input] : input, stdin).catch(async (error: NodeJS.ErrnoException) => {
    await closed;
    if (!["EPIPE", "ECONNRESET", "ERR_STREAM_PREMATURE_CLOSE"].includes(error.code ?? "")) throw error;
  });
}
