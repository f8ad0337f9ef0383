import type { EngineKind } from "../config/engine-kind.ts";
import { printable } from "../core/printable.ts";
import { prefixOf, WholeLines } from "../core/whole-lines.ts";
import type { RunRecord } from "../runs/record.ts";
import type { CallOutcome, CallQueue, QueueListener, Task } from "./call-queue.ts";
import { BatchRecord } from "./call-record.ts";
import { formsIn, mark } from "./file-form.ts";
import type { Bodies } from "./frames.ts";
import { toHelperError } from "./helper-error.ts";
import type { KeptResults } from "./keep.ts";
import { MapProgress } from "./map-progress.ts";
import type { ProgramFiles } from "./program-files.ts";
import type { CallError, CallsStart } from "./program-protocol.ts";
import { errorOf, type RanIn } from "./remedies.ts";
import type { WorkerPool } from "./worker-pool.ts";

const isMark = Buffer.from(`"${mark}"`);

export interface BatchPlace {
  readonly kind: EngineKind;
  readonly record: RunRecord;
  readonly files: ProgramFiles;
  readonly columns: number | null;
  readonly isColored: boolean;
}

export interface BatchAnswers {
  readonly result: (index: number, bodies: Bodies) => void;
  readonly error: (index: number, error: CallError) => void;
  readonly output: (data: Buffer) => void | Promise<void>;
  readonly done: () => void;
  readonly failed: (error: unknown) => void;
}

/** Calls of one function: from the program to workers, and what comes back, with its record and its lines. */
export class CallBatch implements QueueListener {
  readonly #start: CallsStart;
  readonly #place: BatchPlace;
  readonly #answers: BatchAnswers;
  readonly #pool: WorkerPool;
  readonly #kept: Promise<KeptResults | undefined> | undefined;
  readonly #queue: CallQueue;
  readonly #record: BatchRecord;
  readonly #progress: MapProgress | undefined;
  readonly #lines = new Map<number, WholeLines>();
  readonly #ranIn: RanIn;
  /** Items that are looked up, or wait for content, in their order. */
  #turn: Promise<void> | undefined;
  #arrived: (readonly [number, readonly Buffer[]])[] = [];
  readonly #inputs = new Map<number, Bodies>();
  #keptCount = 0;
  #count = 0;
  #underWay = 0;
  #isClosed = false;
  #isOver = false;

  constructor(
    start: CallsStart,
    pool: WorkerPool,
    place: BatchPlace,
    answers: BatchAnswers,
    kept: Promise<KeptResults | undefined> | undefined,
  ) {
    const { image, id, name, after, items, isMap, network, resources } = start;
    this.#start = start;
    this.#pool = pool;
    this.#place = place;
    this.#answers = answers;
    this.#kept = kept;
    this.#record = new BatchRecord(place.record, { id, name, after, items: items ?? 0, isMap });
    this.#ranIn = { name, kind: place.kind, image, network, memory: resources.memory };
    const write = (data: Buffer) => void answers.output(data);
    this.#progress = isMap ? new MapProgress(name, items, place.columns, write) : undefined;
    this.#queue = pool.add(start, this);
  }

  item(index: number, bodies: readonly Buffer[]): void {
    this.#count += 1;
    const mayHaveFiles = this.#place.kind !== "process" && bodies[0]?.includes(isMark) === true;
    if (this.#kept === undefined && this.#turn === undefined && !mayHaveFiles) {
      this.#queue.add(index, bodies);
      return;
    }
    this.#arrived.push([index, bodies]);
    this.#turn ??= this.#lookUp();
  }

  /** After the items that came together. */
  wake(): void {
    this.#pool.wake();
  }

  close(): void {
    this.#isClosed = true;
    this.#tellKept();
    void this.#settle();
  }

  async cancel(): Promise<void> {
    this.#arrived = [];
    await this.#pool.cancel(this.#queue);
    await this.#end(() => this.#answers.done());
  }

  async #lookUp(): Promise<void> {
    // More of them come in this turn of the event loop.
    await undefined;
    const kept = await this.#kept;
    try {
      while (this.#arrived.length > 0) {
        const items = this.#arrived;
        this.#arrived = [];
        const found = kept && (await kept.find(items.map(([, bodies]) => bodies)));
        const missing = items.filter(([index], position) => {
          const result = found?.[position];
          if (result) this.#isKept(index, result);
          return result === undefined;
        });
        await this.#sendFiles(missing.flatMap(([, bodies]) => bodies[0] ?? []));
        for (const [index, bodies] of missing) {
          if (kept) this.#inputs.set(index, bodies);
          this.#queue.add(index, bodies);
        }
        this.#pool.wake();
      }
      this.#turn = undefined;
      this.#tellKept();
      void this.#settle();
    } catch (error) {
      this.onFailed(error);
    }
  }

  /** Once, when all items are known. */
  #tellKept(): void {
    const missing = this.#count - this.#keptCount;
    if (!this.#isClosed || this.#turn !== undefined || this.#keptCount === 0 || missing === 0) return;
    const counts = `${this.#keptCount} of ${this.#count} results are kept; ${missing} run`;
    this.onNotice(`${this.#start.name}: ${counts}`);
  }

  async #sendFiles(values: readonly Buffer[]): Promise<void> {
    const { files, kind } = this.#place;
    const forms = values.filter((json) => json.includes(isMark)).flatMap((json) => formsIn(json.toString()));
    if (forms.length > 0) await files.send(forms, this.#start.image ?? "", kind === "container");
  }

  #isKept(index: number, bodies: readonly Buffer[]): void {
    const { image = "" } = this.#start;
    if (bodies[0]?.includes(isMark)) this.#place.files.know(formsIn(String(bodies[0])), image);
    this.#keptCount += 1;
    this.#record.ended(index, bodies[0], 0);
    this.#progress?.settled(true);
    this.#answers.result(index, bodies);
  }

  onBegin(task: Task, where: string | undefined): void {
    this.#record.started(task.index, where);
  }

  onOutcome({ index, runs }: Task, outcome: CallOutcome): void {
    void this.#lines.get(index)?.end();
    this.#lines.delete(index);
    if ("bodies" in outcome) {
      if (outcome.bodies[0]?.includes(isMark)) void this.#received(index, outcome.bodies, runs);
      else this.#result(index, outcome.bodies, runs);
    } else {
      const error = errorOf(outcome, this.#ranIn);
      if (error === undefined) this.#result(index, [], runs);
      else this.#error(index, error, runs);
    }
    if (this.#isClosed && this.#queue.open === 0) void this.#settle();
  }

  /** The content of files may have to reach the registry before a result is one. */
  async #received(index: number, bodies: readonly Buffer[], runs: number): Promise<void> {
    const { image } = this.#start;
    this.#underWay += 1;
    try {
      const forms = formsIn(String(bodies[0]));
      if (image !== undefined && this.#place.kind !== "process")
        await this.#place.files.receive(forms, image, this.#place.kind === "container");
      this.#result(index, bodies, runs);
    } catch (error) {
      this.#error(index, toHelperError(error, "A result cannot be used"), runs);
    }
    this.#underWay -= 1;
    void this.#settle();
  }

  #result(index: number, bodies: readonly Buffer[], runs: number): void {
    const input = this.#inputs.get(index);
    this.#inputs.delete(index);
    if (input) void this.#kept?.then((kept) => kept?.add(input, bodies));
    this.#record.ended(index, bodies[0], runs);
    this.#progress?.settled(true);
    this.#answers.result(index, bodies);
  }

  #error(index: number, error: CallError, runs: number): void {
    this.#inputs.delete(index);
    this.#record.failed(index, error, runs);
    this.#progress?.settled(false);
    this.#answers.error(index, error);
  }

  /** Lines of a map stand after the function and the item. */
  onOutput(task: Task | undefined, data: Buffer): void | Promise<void> {
    if (!this.#start.isMap || task === undefined) return this.#print(data);
    const { index } = task;
    const lines =
      this.#lines.get(index) ??
      new WholeLines(
        () => this.#prefix(index),
        (text) => this.#print(text),
      );
    this.#lines.set(index, lines);
    return lines.write(data);
  }

  #prefix(index: number): string {
    return prefixOf(`${this.#start.name} ${index}`, this.#place.isColored ? index : undefined);
  }

  onNotice(text: string): void {
    void this.#print(Buffer.from(`slipway: ${printable(text)}\n`));
  }

  #print(data: Buffer): void | Promise<void> {
    this.#record.printed(data);
    if (this.#progress) return this.#progress.print(data);
    return this.#answers.output(data);
  }

  onFailed(error: unknown): void {
    const { name, message } = toHelperError(error, "The calls failed");
    // Of all that did not come to an end, one tells why.
    this.#record.failed(0, { name, message });
    this.#arrived = [];
    void this.#end(() => this.#answers.failed(error));
  }

  async #settle(): Promise<void> {
    const isDone = this.#isClosed && this.#turn === undefined && this.#queue.open === 0 && this.#underWay === 0;
    if (!isDone || this.#isOver) return;
    // A single call does not wait for the registry.
    if (this.#start.isMap) await (await this.#kept)?.end();
    await this.#end(() => this.#answers.done());
  }

  async #end(answer: () => void): Promise<void> {
    if (this.#isOver) return;
    this.#isOver = true;
    for (const lines of this.#lines.values()) await lines.end();
    this.#progress?.finish();
    this.#pool.remove(this.#queue);
    answer();
  }
}
