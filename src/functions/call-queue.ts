import type { WireError } from "../core/wire-error.ts";
import type { CallsStart } from "./program-protocol.ts";
import type { WorkerEnd } from "./worker.ts";

export interface Task {
  readonly index: number;
  readonly bodies: readonly Buffer[];
  readonly queue: CallQueue;
  failures: number;
  /** Workers that were lost while they ran it. */
  losses: number;
  /** How many workers got it and may have run it. */
  runs: number;
  /** When its attempt began, as far as that is known. */
  began?: number | undefined;
}

/** A result, an error that the function threw, or the end of its worker. */
export type CallOutcome =
  | { readonly bodies: readonly Buffer[] }
  | { readonly error: WireError }
  | { readonly end: WorkerEnd };

export interface QueueListener {
  readonly onOutcome: (task: Task, outcome: CallOutcome, where: string | undefined) => void;
  /** `task` is undefined for what a worker prints between calls. */
  readonly onOutput: (task: Task | undefined, data: Buffer) => void | Promise<void>;
  readonly onNotice: (text: string) => void;
  /** An attempt runs. Not told for calls that are quick. */
  readonly onBegin: (task: Task, where: string | undefined) => void;
  /** The engine does not work: there are no more outcomes. */
  readonly onFailed: (error: unknown) => void;
}

/** Calls of one function that have no worker yet. */
export class CallQueue {
  readonly listener: QueueListener;
  readonly quotedName: string;
  readonly name: string;
  /** Calls that a worker runs at once. */
  readonly width: number;
  readonly isBatched: boolean;
  readonly isMap: boolean;
  readonly isFresh: boolean;
  readonly timeLimit: number | undefined;
  readonly retries: number;
  /** Workers at once. */
  readonly parallelism: number;
  /** Workers that have calls of it. */
  busy = 0;
  /** Calls without an outcome. */
  open = 0;
  /** Milliseconds of a worker for a call. Undefined: not known yet. */
  #pace: number | undefined;
  #tasks: Task[] = [];
  #head = 0;

  constructor(start: CallsStart, parallelism: number, listener: QueueListener) {
    this.listener = listener;
    this.name = start.name;
    this.quotedName = JSON.stringify(start.name);
    this.width = start.batch?.size ?? start.concurrency ?? 1;
    this.isBatched = start.batch !== undefined;
    this.isMap = start.isMap;
    this.isFresh = start.fresh === true;
    this.timeLimit = start.timeLimit;
    this.retries = start.retries ?? 0;
    this.parallelism = parallelism;
  }

  get length(): number {
    return this.#tasks.length - this.#head;
  }

  add(index: number, bodies: readonly Buffer[]): void {
    this.open += 1;
    this.#tasks.push({ index, bodies, queue: this, failures: 0, losses: 0, runs: 0 });
  }

  take(): Task | undefined {
    const task = this.#tasks[this.#head];
    if (task === undefined) return undefined;
    this.#head += 1;
    if (this.#head > 1024 && this.#head * 2 > this.#tasks.length) {
      this.#tasks = this.#tasks.slice(this.#head);
      this.#head = 0;
    }
    return task;
  }

  /** To the front, where they were. */
  giveBack(tasks: readonly Task[]): void {
    for (const task of tasks) task.began = undefined;
    this.#tasks = [...tasks, ...this.#tasks.slice(this.#head)];
    this.#head = 0;
  }

  clear(): void {
    this.open -= this.length;
    this.#tasks = [];
    this.#head = 0;
  }

  measure(milliseconds: number): void {
    this.#pace = this.#pace === undefined ? milliseconds : 0.7 * this.#pace + 0.3 * milliseconds;
  }

  get pace(): number | undefined {
    return this.#pace;
  }

  /** Calls that one worker may have: the next is there when one ends, and the last ones are shared fairly. */
  depth(): number {
    if (this.isFresh || !this.isMap) return this.width;
    const ahead = this.#pace === undefined ? 1 : Math.min(512, Math.max(1, Math.floor(enough / this.#pace)));
    const fair = Math.ceil(this.length / (2 * Math.max(1, this.busy)));
    return this.width + Math.max(this.isBatched ? this.width : 1, Math.min(ahead, fair));
  }
}

/** Milliseconds of work that a worker has ahead. */
const enough = 20;
