import { describeEngine } from "../containers/choose-engine.ts";
import type { Environment } from "../core/environment.ts";
import type { Sink } from "../core/flow.ts";
import { printable } from "../core/printable.ts";
import type { Digest } from "../oci/digest.ts";
import type { RunRecord } from "../runs/record.ts";
import { CallBatch } from "./call-batch.ts";
import { recordOf } from "./call-record.ts";
import { FrameReader, FrameWriter } from "./frames.ts";
import { toHelperError } from "./helper-error.ts";
import { targetVariable } from "./helper-variables.ts";
import type { KeptCalls, KeptFunction } from "./keep.ts";
import type { CallsStart, HelperFrame, Program, ProgramFrame, Ready } from "./program-protocol.ts";
import { ProgramWorkers } from "./program-workers.ts";
import type { WorkerEngine } from "./worker.ts";
import type { WorkerPool } from "./worker-pool.ts";

interface Opened {
  readonly program: Program;
  readonly workers: ProgramWorkers;
}

/** Variables that do not change an engine. */
const meaningless =
  /^(_|PWD|OLDPWD|SHLVL|LC_CTYPE|PYTHONPATH|RUNFILES_DIR|SLIPWAY_(MAIN_REPOSITORY|RUNFILES|ENGINE_HELPER|ENGINE_SOCKET))$/;

/** The calls of one program, from its first frame until its connection ends. */
export class ProgramSession {
  readonly #writer: FrameWriter<HelperFrame>;
  readonly #reader: FrameReader<ProgramFrame>;
  readonly #env: Environment;
  readonly #openPods: () => Promise<WorkerEngine>;
  readonly #left: ProgramWorkers | undefined;
  #opened: Opened | undefined;
  /** Loaded with the first function whose results are kept. */
  #kept: Promise<KeptCalls> | undefined;
  #record: RunRecord | undefined;
  #isTold = false;
  readonly #batches = new Map<number, CallBatch | Promise<CallBatch | undefined>>();
  #hasExited = false;

  /**
   * @param env of the helper, which is not the program's if it was started before it
   * @param left by the program's last run
   */
  constructor(write: Sink, env: Environment, openPods: () => Promise<WorkerEngine>, left?: ProgramWorkers) {
    this.#writer = new FrameWriter(write);
    this.#env = env;
    this.#openPods = openPods;
    this.#left = left;
    this.#reader = new FrameReader((header, bodies) => this.#take(header, bodies));
  }

  /** @throws FrameError for what is no frame */
  write(piece: Buffer): void {
    const touched = new Set<CallBatch>();
    this.#touched = touched;
    this.#reader.write(piece);
    for (const batch of touched) batch.wake();
  }

  #touched = new Set<CallBatch>();

  #take(header: ProgramFrame, bodies: readonly Buffer[]): void {
    switch (header.type) {
      case "program":
        this.#open(JSON.parse(String(bodies[0])) as Program);
        break;
      case "start":
        this.#start(header.batch, JSON.parse(String(bodies[0])) as CallsStart);
        break;
      case "item":
        this.#with(header.batch, (batch) => {
          batch.item(header.index, bodies);
          this.#touched.add(batch);
        });
        break;
      case "close":
        this.#with(header.batch, (batch) => batch.close());
        break;
      case "cancel":
        this.#with(header.batch, (batch) => void batch.cancel());
        break;
      case "settle":
        void this.#settle();
        break;
      case "fetch":
        void this.#fetch(header.digest as Digest, header.size);
        break;
      case "exit":
        this.#exit(header.status);
    }
  }

  #with(number: number, act: (batch: CallBatch) => void): void {
    const batch = this.#batches.get(number);
    if (batch instanceof CallBatch) act(batch);
    // Its pool is being opened.
    else
      void batch?.then((opened) => {
        if (opened === undefined) return;
        act(opened);
        opened.wake();
      });
  }

  #open(program: Program): void {
    if (!sameEnvironment(program.env, this.#left?.env ?? this.#env)) {
      this.#writer.send({ type: "declined" });
      return;
    }
    try {
      const place = { tell: (text: string) => this.#tell(text), room: () => this.#writer.room };
      const workers = this.#left ?? new ProgramWorkers(program, this.#openPods);
      workers.place = place;
      this.#opened = { program, workers };
      const { choice, files } = workers;
      const remark = choice.kind === "process" && "remark" in choice ? choice.remark : undefined;
      const ready: Ready = {
        engine: describeEngine(choice),
        ...(remark === undefined ? {} : { remark }),
        ...(files.folder === undefined ? {} : { files: files.folder }),
      };
      this.#writer.send({ type: "ready" }, [Buffer.from(JSON.stringify(ready))]);
    } catch (error) {
      this.#failed(undefined, error);
    }
  }

  #tell(text: string): void {
    this.#writer.send({ type: "output" }, [Buffer.from(`slipway: ${printable(text)}\n`)]);
  }

  #failed(batch: number | undefined, error: unknown): void {
    const body = Buffer.from(JSON.stringify(toHelperError(error, "The engine's helper failed")));
    this.#writer.send({ type: "failed", ...(batch === undefined ? {} : { batch }) }, [body]);
  }

  #start(number: number, start: CallsStart): void {
    const made = this.#batchOf(number, start);
    if (made instanceof CallBatch) {
      this.#batches.set(number, made);
      return;
    }
    const later = made.catch((error: unknown) => {
      this.#batches.delete(number);
      this.#failed(number, error);
      return undefined;
    });
    this.#batches.set(number, later);
    void later.then((batch) => batch && this.#batches.set(number, batch));
  }

  /** Without delay where the pool is known. */
  #batchOf(number: number, start: CallsStart): CallBatch | Promise<CallBatch> {
    const opened = this.#opened;
    if (opened === undefined) throw new Error("the program has not introduced itself");
    const pool = opened.workers.pool(start);
    if (!(pool instanceof Promise)) return this.#make(number, start, pool, opened);
    return pool.then((pool) => this.#make(number, start, pool, opened));
  }

  #make(number: number, given: CallsStart, pool: WorkerPool, { program, workers }: Opened): CallBatch {
    const start = { ...given, resources: pool.spec.resources };
    const { choice, files } = workers;
    const { image, keep, name } = start;
    const kind = image === undefined ? "process" : choice.kind;
    if (keep && kind === "process" && !this.#isTold) {
      this.#isTold = true;
      this.#tell("`keep` has no effect: calls run in processes, without an image.");
    }
    this.#record ??= recordOf(program, kind, image === undefined ? [] : [image], (text) => this.#tell(text));
    const isColored = program.columns !== null && !program.env["NO_COLOR"];
    const place = { kind, record: this.#record, files, columns: program.columns, isColored };
    const writer = this.#writer;
    const answers = {
      result: (index: number, bodies: readonly Uint8Array[]) =>
        writer.sendText(`"type":"result","batch":${number},"index":${index}`, bodies),
      error: (index: number, error: unknown) =>
        writer.send({ type: "error", batch: number, index }, [Buffer.from(JSON.stringify(error))]),
      output: (data: Buffer) => {
        writer.send({ type: "output" }, [data]);
        return writer.room;
      },
      done: () => {
        this.#batches.delete(number);
        writer.send({ type: "done", batch: number });
      },
      failed: (error: unknown) => {
        this.#batches.delete(number);
        this.#failed(number, error);
      },
    };
    const open = async (kept: KeptFunction) => (await this.#keptCalls(program)).open(kept, (text) => this.#tell(text));
    const results =
      keep && image !== undefined && kind !== "process"
        ? open({ name, image, version: keep.version, program: program.env[targetVariable] || undefined })
        : undefined;
    return new CallBatch(start, pool, place, answers, results);
  }

  #keptCalls({ env }: Program): Promise<KeptCalls> {
    this.#kept ??= import("./keep.ts").then(({ KeptCalls }) => new KeptCalls(env));
    return this.#kept;
  }

  async #settle(): Promise<void> {
    await (await this.#kept)?.settle();
    this.#writer.send({ type: "settled" });
  }

  async #fetch(digest: Digest, size: number): Promise<void> {
    const answer = { type: "fetched", digest } as const;
    try {
      await this.#opened?.workers.files.fetch({ digest, size });
      this.#writer.send(answer);
    } catch (error) {
      const body = toHelperError(error, "A file of a function could not be moved");
      this.#writer.send(answer, [Buffer.from(JSON.stringify(body))]);
    }
  }

  #exit(status: number): void {
    this.#hasExited = true;
    const until = this.#opened?.workers.warmUntil() ?? 0;
    if (until > 0) this.#record?.add({ warm: { until, process: process.pid } });
    this.#record?.end(status);
    this.#record = undefined;
  }

  /** The connection has ended. Settles with the workers that wait for the next run, else when nothing is left. */
  async end(): Promise<ProgramWorkers | undefined> {
    const workers = this.#opened?.workers;
    if (workers === undefined) return this.#left;
    const isOver = this.#hasExited && this.#batches.size === 0;
    for (const batch of this.#batches.values()) void Promise.resolve(batch).then((each) => each?.cancel());
    const isWarm = isOver && workers.warmUntil() > 0;
    await (isWarm ? workers.endOthers() : workers.close());
    await (await this.#kept)?.end();
    return isWarm ? workers : undefined;
  }
}

function sameEnvironment(one: Environment, other: Environment): boolean {
  return Object.keys({ ...one, ...other }).every((name) => meaningless.test(name) || one[name] === other[name]);
}
