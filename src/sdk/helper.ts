import { spawn } from "node:child_process";
import { once } from "node:events";
import { connect } from "node:net";
import type { Readable, Writable } from "node:stream";
import type { Environment } from "../core/environment.ts";
import { Failure, UserError } from "../core/errors.ts";
import { writeTo } from "../core/flow.ts";
import { started } from "../core/run-program.ts";
import { fromWire, type WireError } from "../core/wire-error.ts";
import { type Bodies, FrameReader, FrameWriter, protocolVersion } from "../functions/frames.ts";
import { helperSocketVariable, helperVariable } from "../functions/helper-variables.ts";
import {
  type CallError,
  type CallsStart,
  type HelperFrame,
  type Program,
  type ProgramFrame,
  type Ready,
  window,
} from "../functions/program-protocol.ts";

/** Milliseconds for the helper to end running calls. */
const grace = 150_000;
const notBuilt = "Build the pipeline's target again.";

interface Line {
  readonly name: string;
  readonly input: Writable;
  readonly answers: Readable;
  /** Keeps this process alive, or lets it end. */
  readonly hold: (isHeld: boolean) => void;
}

export interface BatchListener {
  readonly onResult: (index: number, bodies: readonly Buffer[]) => void;
  readonly onError: (index: number, error: CallError) => void;
}

/** Calls of one function. */
export class Batch {
  readonly #helper: Helper;
  readonly #number: number;
  readonly #listener: BatchListener;
  readonly #window: number;
  readonly #done = Promise.withResolvers<void>();
  #open = 0;
  #room: (() => void) | undefined;

  constructor(helper: Helper, number: number, start: CallsStart, listener: BatchListener) {
    this.#helper = helper;
    this.#number = number;
    this.#listener = listener;
    this.#window = window(start);
    this.#done.promise.catch(() => {});
  }

  /** A promise settles when there is room for the next one. */
  item(index: number, bodies: Bodies): void | Promise<void> {
    this.#open += 1;
    this.#helper.writer.sendText(`"type":"item","batch":${this.#number},"index":${index}`, bodies);
    if (this.#open < this.#window) return this.#helper.writer.room;
    return new Promise((resolve) => {
      this.#room = resolve;
    });
  }

  /** There are no more items. */
  close(): void {
    this.#helper.writer.send({ type: "close", batch: this.#number });
  }

  /** Settles when the calls have ended. */
  async cancel(): Promise<void> {
    this.#helper.writer.send({ type: "cancel", batch: this.#number });
    this.#room?.();
    const timer = setTimeout(() => this.#helper.kill(), grace);
    await this.done.catch(() => {}).finally(() => clearTimeout(timer));
  }

  /** @throws the error of the engine */
  get done(): Promise<void> {
    return this.#done.promise;
  }

  /** @internal */
  take(header: HelperFrame, bodies: readonly Buffer[]): void {
    if (header.type === "done") this.#done.resolve();
    else if (header.type === "result" || header.type === "error") {
      this.#open -= 1;
      if (header.type === "result") this.#listener.onResult(header.index, bodies);
      else this.#listener.onError(header.index, JSON.parse(String(bodies[0])) as CallError);
      this.#room?.();
      this.#room = undefined;
    }
  }

  /** @internal */
  fail(error: Error): void {
    this.#done.reject(error);
    this.#room?.();
  }
}

/** One connection to the helper, which makes the calls of this program. They end with it. */
export class Helper {
  readonly writer: FrameWriter<ProgramFrame>;
  readonly ready: Ready;
  readonly #line: Line;
  readonly #batches = new Map<number, Batch>();
  readonly #waiting = new Map<string, PromiseWithResolvers<void>>();
  #count = 0;

  constructor(line: Line, writer: FrameWriter<ProgramFrame>, ready: Ready) {
    this.#line = line;
    this.writer = writer;
    this.ready = ready;
  }

  start(start: CallsStart, listener: BatchListener): Batch {
    this.#count += 1;
    const number = this.#count;
    const batch = new Batch(this, number, start, listener);
    this.#batches.set(number, batch);
    this.#hold();
    this.writer.send({ type: "start", batch: number }, [Buffer.from(JSON.stringify(start))]);
    return batch;
  }

  /** Stores kept results of single calls. */
  settle(): Promise<void> {
    return this.#ask("settled", { type: "settle" });
  }

  /** Brings the content of a file to the folder of the helper. */
  fetch(content: { readonly digest: string; readonly size: number }): Promise<void> {
    return this.#ask(`fetched ${content.digest}`, { type: "fetch", ...content });
  }

  kill(): void {
    this.#line.answers.destroy();
  }

  /** This process ends. */
  exit(status: number): void {
    this.writer.send({ type: "exit", status });
    this.writer.flush();
  }

  async #ask(key: string, frame: ProgramFrame): Promise<void> {
    const waiting = this.#waiting.get(key) ?? Promise.withResolvers<void>();
    if (!this.#waiting.has(key)) this.writer.send(frame);
    this.#waiting.set(key, waiting);
    this.#hold();
    await waiting.promise.finally(() => {
      this.#waiting.delete(key);
      this.#hold();
    });
  }

  #hold(): void {
    this.#line.hold(this.#batches.size + this.#waiting.size > 0);
  }

  /** @internal */
  take(header: HelperFrame, bodies: readonly Buffer[]): void {
    if (header.type === "output") {
      const pending = writeTo(process.stderr, bodies[0] ?? Buffer.alloc(0));
      if (pending === undefined) return;
      this.#line.answers.pause();
      void pending.finally(() => this.#line.answers.resume());
    } else if (header.type === "settled") this.#waiting.get("settled")?.resolve();
    else if (header.type === "fetched") {
      const waiting = this.#waiting.get(`fetched ${header.digest}`);
      if (bodies[0] === undefined) waiting?.resolve();
      else waiting?.reject(errorOf(bodies[0], this.#line.name));
    } else if ("batch" in header && header.batch !== undefined) {
      const batch = this.#batches.get(header.batch);
      if (header.type === "failed") batch?.fail(errorOf(bodies[0], this.#line.name));
      else batch?.take(header, bodies);
      if (header.type === "failed" || header.type === "done") {
        this.#batches.delete(header.batch);
        this.#hold();
      }
    }
  }

  /** @internal */
  ended(): void {
    const { name } = this.#line;
    const problem = "The helper of the pipeline ended before it was done.";
    const error = new Failure({ code: "program-failed", culprit: name }, problem, "Look at what it printed above.");
    for (const batch of this.#batches.values()) batch.fail(error);
    for (const { reject } of this.#waiting.values()) reject(error);
    this.#batches.clear();
  }
}

function errorOf(body: Buffer | undefined, culprit: string): Error {
  const error = JSON.parse(String(body)) as WireError;
  return fromWire(error) ?? new Failure({ code: "program-failed", culprit }, error.details, "Run the program again.");
}

let current: { readonly env: string; readonly helper: Promise<Helper> } | undefined;

/**
 * The connection of this program. A program that has changed its environment since gets another one.
 *
 * @throws UserError or Failure if there is no helper, or it cannot be started
 */
export function openHelper(): Promise<Helper> {
  const env = JSON.stringify(process.env);
  if (current?.env !== env) {
    const helper = open(process.env);
    current = { env, helper };
    helper.catch(() => {
      current = undefined;
    });
  }
  return current.helper;
}

/** The connection, if a call has opened one. */
export function openedHelper(): Promise<Helper> | undefined {
  return current?.helper;
}

async function open(env: Environment): Promise<Helper> {
  const path = env[helperVariable];
  if (!path) {
    throw new UserError(
      { code: "started-by-hand", culprit: helperVariable },
      "This program was not started by its pipeline, which provides the helper for that.",
      "Start it with bazel run of the pipeline's own target.",
    );
  }
  const early = await connected(env[helperSocketVariable]);
  const helper = early && (await greet(early, env));
  return helper ?? (await greet(await spawned(path, env), env)) ?? Promise.reject(new Error("declined"));
}

/** Undefined: it was started with another environment. */
function greet(line: Line, env: Environment): Promise<Helper | undefined> {
  const { promise, resolve, reject } = Promise.withResolvers<Helper | undefined>();
  const { input, answers, name } = line;
  let helper: Helper | undefined;
  for (const stream of [input, answers]) stream.on("error", () => {});
  const writer = new FrameWriter<ProgramFrame>((data) => writeTo(input, data));
  const reader = new FrameReader<HelperFrame>((header, bodies) => {
    if (helper) return helper.take(header, bodies);
    if (header.type === "ready") {
      helper = new Helper(line, writer, JSON.parse(String(bodies[0])) as Ready);
      const made = helper;
      if (made.ready.remark) process.stderr.write(`${made.ready.remark}\n`);
      process.once("exit", (status) => made.exit(status));
      line.hold(false);
      resolve(made);
    } else if (header.type === "failed") reject(errorOf(bodies[0], name));
    else if (header.type === "declined") {
      // It waits for the calls of open connections.
      answers.destroy();
      resolve(undefined);
    }
    return undefined;
  });
  answers.on("data", (piece: Buffer) => {
    try {
      reader.write(piece);
    } catch {
      answers.destroy();
    }
  });
  answers.once("close", () => {
    if (current && helper) current = undefined;
    helper?.ended();
    reject(
      new Failure(
        { code: "program-failed", culprit: name },
        `${name} ended before it was done.`,
        "Look at what it printed above.",
      ),
    );
  });
  writer.send({ type: "program", version: protocolVersion }, [Buffer.from(JSON.stringify(describe(env)))]);
  return promise;
}

function describe(env: Environment): Program {
  const [, entry = ""] = process.argv;
  return {
    env: Object.fromEntries(
      Object.entries(env).flatMap(([name, value]) => (value === undefined ? [] : [[name, value]])),
    ),
    command: [process.execPath, ...process.execArgv, entry],
    directory: process.cwd(),
    process: process.pid,
    arguments: process.argv.length - 2,
    path: entry,
    columns: process.stderr.isTTY ? process.stderr.columns : null,
  };
}

/** Undefined if it no longer listens. */
async function connected(path: string | undefined): Promise<Line | undefined> {
  if (!path) return undefined;
  const socket = connect(path);
  try {
    await once(socket, "connect");
  } catch {
    return undefined;
  }
  return {
    name: path,
    input: socket,
    answers: socket,
    hold: (isHeld) => void (isHeld ? socket.ref() : socket.unref()),
  };
}

/** In its own session, so that it survives the terminal's signals and this process, and can stop the calls. */
async function spawned(path: string, env: Environment): Promise<Line> {
  const child = spawn(path, ["serve"], { env, stdio: ["pipe", "pipe", "inherit"], detached: true });
  await started(child, path, notBuilt);
  const parts = [child, child.stdin, child.stdout] as unknown as { ref(): void; unref(): void }[];
  const hold = (isHeld: boolean) => {
    for (const part of parts)
      if (isHeld) part.ref();
      else part.unref();
  };
  return { name: path, input: child.stdin, answers: child.stdout, hold };
}
