import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync } from "node:fs";
import { readFile } from "node:fs/promises";
import { connect } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Readable, Writable } from "node:stream";
import type { EngineKind } from "../config/engine-kind.ts";
import type { JobResources, PlacedResources } from "../config/resources.ts";
import type { Environment } from "../core/environment.ts";
import { Failure, UserError } from "../core/errors.ts";
import { flow } from "../core/flow.ts";
import { interruptible } from "../core/interrupts.ts";
import { onLines } from "../core/lines.ts";
import { runProgram, started } from "../core/run-program.ts";
import { configFile } from "../core/user-folders.ts";
import { fromWire, isWireError, type WireError } from "../core/wire-error.ts";
import type { RunnableImage } from "../oci/runnable-image.ts";
import {
  type CallBatch,
  type CallEngine,
  type CallListener,
  type CallOutcome,
  helperSocketVariable,
  helperVariable,
} from "./calls.ts";

/** The first line. Calls end when the connection closes. */
export interface HelperRequest {
  readonly batch: CallBatch;
  /** The program's, for a helper that was started before it. */
  readonly env?: Environment;
}

/** A request without calls: stores the kept results of single calls now. */
export interface SettleRequest {
  readonly settle: true;
}

/** The last one is `done`, `error` or `declined`. */
export type HelperAnswer =
  | { readonly index: number; readonly outcome: CallOutcome }
  | { readonly index: number; readonly started: string }
  /** Standard error in base64, from a helper that has none of its own. */
  | { readonly output: string }
  | { readonly done: { /** To the cluster. */ readonly requests: number } }
  | { readonly error: WireError }
  /** The helper was started with another environment. */
  | { readonly declined: true };

const notBuilt = "Build the pipeline's target again.";

/** Milliseconds for the helper to end running calls. */
const grace = 150_000;

interface Line {
  readonly name: string;
  readonly input: Writable;
  readonly answers: Readable;
  readonly output?: Readable;
  /** With the problem if the last answer is missing. */
  readonly ended: Promise<string>;
  readonly kill: () => void;
}

export class HelperCalls implements CallEngine {
  readonly kind: EngineKind;
  readonly #env: Environment;

  constructor(kind: EngineKind, env: Environment) {
    this.kind = kind;
    this.#env = env;
  }

  async run(batch: CallBatch, listener: CallListener): Promise<void> {
    const helper = this.#env[helperVariable];
    if (!helper) {
      throw new UserError(
        { code: "started-by-hand", culprit: helperVariable },
        `SLIPWAY_ENGINE=${this.kind}: this program was not started by its pipeline, which provides the helper for that engine.`,
        "Start it with bazel run of the pipeline's own target, or set SLIPWAY_ENGINE to container or process.",
      );
    }
    const given = this.#env[helperSocketVariable];
    if (batch.keep && given === undefined) own ??= startServer(helper, this.#env);
    const path = given ?? (batch.keep && (await own));
    const early = await connected(path);
    const answer = early && (await converse(early, { batch, env: this.#env }, listener));
    if (batch.keep && path) unsettled = path;
    const last =
      answer && !("declined" in answer) ? answer : await converse(await start(helper, this.#env), { batch }, listener);
    if ("error" in last) throw revived(last.error, helper);
  }
}

/** @returns false if there is no credential, or no helper */
export async function pullByHelper(image: string, env: Environment): Promise<boolean> {
  const helper = env[helperVariable];
  return helper ? (await askProgram<{ readonly isPulled: boolean }>(helper, ["pull", image], env)).isPulled : false;
}

/** Each answer costs the start of a program. */
const allowed = new Map<string, Promise<RunnableImage>>();

/** Starts no helper without rules. @throws UserError if the image may not run, or there are rules but no helper */
export async function allowedByHelper(image: string, env: Environment): Promise<RunnableImage> {
  const known = allowed.get(image);
  if (known !== undefined) return known;
  // The helper reports any other reason why the file cannot be read.
  const text = await readFile(configFile(env).path, "utf8").catch(({ code }) => (code === "ENOENT" ? "" : "require"));
  if (!text.includes("require")) return image as RunnableImage;
  const helper = env[helperVariable];
  if (!helper) throw withoutHelper("`require` in the configuration file");
  const asked = askProgram<{ readonly image: RunnableImage }>(helper, ["allow", image], env).then(
    (answer) => answer.image,
  );
  allowed.set(image, asked);
  asked.catch(() => allowed.delete(image));
  return asked;
}

/** `subject` and `path` (the option) are for errors. @throws UserError for an unknown type */
export async function placeByHelper(
  resources: JobResources,
  { subject, path }: { readonly subject: string; readonly path: string },
  env: Environment,
): Promise<PlacedResources> {
  const helper = env[helperVariable];
  if (!helper) throw withoutHelper(path);
  return askProgram<PlacedResources>(helper, ["resources", JSON.stringify(resources), subject, path], env);
}

function withoutHelper(what: string): UserError {
  return new UserError(
    { code: "started-by-hand", culprit: helperVariable },
    `${what}: this program was not started by its pipeline, which provides the helper for that.`,
    "Start it with bazel run of the pipeline's own target.",
  );
}

const mostAnswer = 256 * 1024 * 1024;

/** Its answer is JSON on standard output: a result, or a {@link WireError}. */
export async function askProgram<Answer>(
  program: string,
  words: readonly string[],
  env: Environment,
  input?: string,
): Promise<Answer> {
  const options = { env, input, most: mostAnswer, onStderr: "inherit", remedy: notBuilt } as const;
  const { stdout, status } = await runProgram(program, words, options);
  const answer = parsed<Answer>(stdout);
  if (answer === undefined) {
    const problem = `${program} ended with status ${status} before it was done.`;
    throw new Failure({ code: "program-failed", culprit: program }, problem, "Look at what it printed above.");
  }
  if (typeof answer !== "object" || answer === null || !("error" in answer)) return answer as Answer;
  throw revived(answer.error, program);
}

function parsed<Answer>(json: string): Answer | { readonly error: unknown } | undefined {
  try {
    return JSON.parse(json);
  } catch {
    return undefined;
  }
}

function revived(error: unknown, program: string): Error {
  const identity = { code: "program-failed", culprit: program } as const;
  if (!isWireError(error)) return new Failure(identity, `${program} answered in another form.`, notBuilt);
  return fromWire(error) ?? new Failure(identity, error.details, "Run the program again.");
}

/** This helper may still have to store results of single calls. */
let unsettled: string | undefined;

/** Call it before a program ends, so that kept results of single calls are stored. */
export async function settleCalls(): Promise<void> {
  const line = unsettled === undefined ? undefined : await connected(unsettled);
  unsettled = undefined;
  if (line) await converse(line, { settle: true }, { onOutcome: () => {}, onOutput: () => {} });
}

/** In bytes. */
const longestPath = 100;
let own: Promise<string | undefined> | undefined;

/** All calls share it, and what it learns from a registry. @returns its socket */
async function startServer(helper: string, env: Environment): Promise<string | undefined> {
  const folder = join(tmpdir(), "slipway-helper-");
  if (Buffer.byteLength(`${folder}XXXXXX/socket`) > longestPath) return undefined;
  const socket = join(mkdtempSync(folder), "socket");
  const words = ["serve", socket, String(process.pid)];
  const child = spawn(helper, words, { env, stdio: ["ignore", "pipe", "ignore"], detached: true });
  await started(child, helper, notBuilt);
  await Promise.race([once(child.stdout, "data"), once(child, "close")]);
  child.stdout.destroy();
  child.unref();
  return socket;
}

/** For one batch. */
async function start(helper: string, env: Environment): Promise<Line> {
  const child = spawn(helper, ["calls"], {
    env,
    stdio: ["pipe", "pipe", "pipe"],
    // This process passes on a terminal's signals, and the helper outlives it to end running calls.
    detached: true,
  });
  await started(child, helper, notBuilt);
  const ended = once(child, "close").then(([status]) => `${helper} ended with status ${status} before it was done.`);
  const [input, answers, output] = child.stdio;
  return { name: helper, input, answers, output, ended, kill: () => void child.kill("SIGKILL") };
}

/** Undefined if it no longer listens. */
async function connected(path: string | undefined): Promise<Line | undefined> {
  if (!path) return undefined;
  const socket = connect({ path, allowHalfOpen: true });
  try {
    await once(socket, "connect");
  } catch {
    return undefined;
  }
  const ended = new Promise<string>((resolve) => {
    socket.once("close", () => resolve("The helper of the pipeline ended before it was done."));
  });
  socket.once("end", () => socket.end());
  return { name: path, input: socket, answers: socket, ended, kill: () => socket.destroy() };
}

/** @returns the last answer */
async function converse(
  { name, input, answers, output, ended, kill }: Line,
  request: HelperRequest | SettleRequest,
  listener: CallListener,
): Promise<Extract<HelperAnswer, { done: unknown } | { error: unknown } | { declined: unknown }>> {
  let last: Awaited<ReturnType<typeof converse>> | undefined;
  for (const stream of [input, answers]) stream.on("error", () => {});
  input.write(`${JSON.stringify(request)}\n`);
  if (output) flow(output, listener.onOutput);
  onLines(answers, (line) => {
    const answer = JSON.parse(line) as HelperAnswer;
    if ("started" in answer) listener.onStart?.(answer.index, answer.started || undefined);
    else if ("index" in answer) listener.onOutcome(answer.index, answer.outcome);
    else if ("output" in answer) {
      const pending = listener.onOutput(Buffer.from(answer.output, "base64"));
      if (pending === undefined) return;
      answers.pause();
      void pending.finally(() => answers.resume());
    } else last = answer;
  });
  const stop = async () => {
    input.end();
    const timer = setTimeout(kill, grace);
    await ended.finally(() => clearTimeout(timer));
  };
  const problem = await interruptible(ended, stop, listener.signal);
  listener.signal?.throwIfAborted();
  if (last !== undefined) return last;
  throw new Failure({ code: "program-failed", culprit: name }, problem, "Look at what it printed above.");
}
