import { writeTo } from "../core/flow.ts";
import { type CallOutcome, CallQueue, type QueueListener, type Task } from "./call-queue.ts";
import type { CallsStart } from "./program-protocol.ts";
import { Slot, type SlotListener } from "./slot.ts";
import type { WorkerEnd, WorkerEngine, WorkerGroup, WorkerSpec } from "./worker.ts";

/** Workers that single calls may have at once. */
const mostForSingles = 50;
/** Milliseconds after which single calls get another worker, and after which calls are taken from a busy one. */
const growTime = 50;
/** Milliseconds after which a worker without calls ends. */
const idleTime = 60_000;
/** Times that a call is made again because its worker was lost. */
const mostLosses = 4;
/** Workers that fail before one has said hello, until that is taken for the program's fault. */
const mostStarts = 3;

interface PoolOptions {
  readonly maxCalls?: number | undefined;
  /** Seconds for which workers without calls are kept for others. */
  readonly warmth?: number;
  /** Settles when the program has room for what replies cause. */
  readonly room: () => void | Promise<void>;
}

/** Workers of one kind, and the calls that they serve. Knows nothing of engines and programs. */
export class WorkerPool {
  readonly #engine: WorkerEngine;
  readonly spec: WorkerSpec;
  readonly #options: PoolOptions;
  readonly #group: Promise<WorkerGroup>;
  #opened: WorkerGroup | undefined;
  readonly #slots = new Set<Slot>();
  readonly #queues = new Set<CallQueue>();
  #failedStarts = 0;
  #hasBegun = false;
  #timer: NodeJS.Timeout | undefined;
  /** Milliseconds until the timer. */
  #time = 0;
  #grown = 0;

  constructor(engine: WorkerEngine, spec: WorkerSpec, tell: (text: string) => void, options: PoolOptions) {
    this.#engine = engine;
    this.spec = spec;
    this.#options = options;
    this.#group = engine.open(spec, tell);
    this.#group.then(
      (group) => {
        this.#opened = group;
        this.#dispatch();
      },
      () => {},
    );
  }

  get isIdle(): boolean {
    return this.#queues.size === 0;
  }

  add(start: CallsStart, listener: QueueListener): CallQueue {
    const usual = start.isMap ? this.#engine.room(this.spec) : 1;
    const queue = new CallQueue(start, start.parallelism ?? usual, listener);
    this.#queues.add(queue);
    // An engine that cannot be opened fails each of them.
    this.#group.catch((error: unknown) => this.#fail(error));
    return queue;
  }

  /** Call it after items have been added. */
  wake(): void {
    this.#dispatch();
  }

  /** The queue's calls have ended. */
  remove(queue: CallQueue): void {
    this.#queues.delete(queue);
    this.#later();
  }

  /** Ends the queue's calls. Settles when none runs. */
  async cancel(queue: CallQueue): Promise<void> {
    queue.clear();
    this.#queues.delete(queue);
    const busy = [...this.#slots].filter((slot) => slot.queue === queue && slot.size > 0);
    await Promise.all(busy.map((slot) => slot.stop()));
    queue.open = 0;
  }

  /** Ends all workers. */
  async close(isCutShort: boolean): Promise<void> {
    clearTimeout(this.#timer);
    const slots = [...this.#slots];
    if (isCutShort) await Promise.all(slots.map((slot) => slot.stop()));
    else for (const slot of slots) slot.end();
    const group = await this.#group.catch(() => undefined);
    await group?.close();
  }

  #dispatch(): void {
    if (this.#opened === undefined) return;
    // A worker that is at a slow call gets no more.
    const late = performance.now() - growTime;
    const open = [...this.#slots].filter(({ size, active }) => size === 0 || active > late);
    for (const slot of open.sort((one, other) => one.size - other.size)) this.#fill(slot);
    this.#grow(this.#opened);
    this.#later();
  }

  #fill(slot: Slot): void {
    const { maxCalls = Number.POSITIVE_INFINITY } = this.#options;
    if (!slot.isReady || slot.isEnding) return;
    if (slot.size === 0) this.#assign(slot);
    const { queue } = slot;
    if (queue === undefined) return;
    const most = queue.isFresh ? 1 : maxCalls;
    const depth = queue.depth();
    // Many short calls are sent together.
    const isLow = slot.size - queue.width <= (depth - queue.width) / 2;
    while (isLow && slot.size < depth && slot.given < most) {
      const task = queue.take();
      if (task === undefined) break;
      slot.send(task, queue);
    }
    if (slot.size === 0 && slot.given >= most) slot.end();
  }

  /** Gives a worker without calls a function to serve. */
  #assign(slot: Slot): void {
    if (slot.queue) slot.queue.busy -= 1;
    slot.queue = [...this.#queues].find((queue) => queue.length > 0 && queue.busy < queue.parallelism);
    if (slot.queue) slot.queue.busy += 1;
  }

  /** Starts workers: at once as many as there is room for, then slowly more for single calls that wait. */
  #grow(group: WorkerGroup): void {
    const present = [...this.#slots].filter(({ isEnding }) => !isEnding);
    const waiting = [...this.#queues].filter((queue) => queue.length > 0);
    if (waiting.length === 0) return;
    const free = present.filter(
      (slot) => slot.size === 0 && (slot.queue === undefined || slot.queue.length > 0),
    ).length;
    const wanted = waiting.reduce(
      (sum, { parallelism, busy, length, width }) => sum + Math.min(parallelism - busy, Math.ceil(length / width)),
      0,
    );
    if (wanted <= free) return;
    const atOnce = Math.max(this.#engine.room(this.spec), ...waiting.map(({ parallelism }) => parallelism));
    let room = atOnce - present.length;
    if (room <= 0 && present.length < mostForSingles && performance.now() - this.#grown > growTime)
      room = Math.max(1, Math.floor(present.length / 2));
    const count = Math.min(wanted - free, room);
    if (count <= 0) return;
    this.#grown = performance.now();
    for (let index = 0; index < count; index += 1) this.#slots.add(new Slot(group, this.#listener));
  }

  /** Looks again after a while: for single calls that wait, calls behind a slow one, and workers without calls. */
  #later(): void {
    const time = this.#queues.size > 0 ? growTime : idleTime;
    if (this.#timer !== undefined && time >= this.#time) return;
    clearTimeout(this.#timer);
    this.#timer = undefined;
    this.#time = time;
    const isWaiting = [...this.#queues].some(({ length }) => length > 0);
    const isIdle = [...this.#slots].some(({ size, isEnding }) => size === 0 && !isEnding);
    if (!isWaiting && !isIdle) return;
    this.#timer = setTimeout(() => {
      this.#timer = undefined;
      this.#steal();
      this.#endIdle();
      this.#dispatch();
    }, time);
  }

  /** Calls that wait behind a slow one go to workers that have nothing to do. */
  #steal(): void {
    const slots = [...this.#slots];
    if (!slots.some((slot) => slot.isReady && slot.size === 0 && !slot.isEnding)) return;
    const now = performance.now();
    for (const slot of slots) {
      const { queue } = slot;
      if (queue === undefined || queue.length > 0 || queue.isBatched || now - slot.active < growTime) continue;
      const waiting = slot.size - queue.width;
      if (waiting > 0) slot.revoke(waiting);
    }
  }

  #endIdle(): void {
    const time = Math.max(idleTime, 1000 * (this.#options.warmth ?? 0));
    const idle = [...this.#slots].filter((slot) => slot.size === 0 && !slot.isEnding && slot.isReady);
    for (const slot of idle.slice(1)) if (Date.now() - slot.idleSince >= time) slot.end();
  }

  readonly #listener: SlotListener = {
    onReady: () => {
      this.#failedStarts = 0;
      this.#hasBegun = true;
      this.#dispatch();
    },
    onRoom: (slot) => {
      this.#fill(slot);
      if (slot.size === 0) this.#dispatch();
    },
    onReply: (slot, task, reply) => {
      if ("bodies" in reply) this.#settle(task, reply, slot.where);
      else this.#failed(task, reply, slot.where);
    },
    onReturned: (slot, tasks) => {
      slot.queue?.giveBack(tasks);
      this.#dispatch();
    },
    onOutput: (task, data) => {
      const queue = task?.queue ?? [...this.#queues][0];
      // What a process of a call's own printed may come after the last reply.
      return queue ? queue.listener.onOutput(task, data) : writeTo(process.stderr, data);
    },
    onEnd: (slot, end, running, waiting) => this.#ended(slot, end, running, waiting),
    room: () => this.#options.room(),
  };

  #ended(slot: Slot, end: WorkerEnd, running: readonly Task[], waiting: readonly Task[]): void {
    if (!this.#slots.delete(slot)) return;
    const { queue } = slot;
    if (queue) queue.busy -= 1;
    queue?.giveBack(waiting);
    for (const task of end.cause === undefined ? running : []) {
      if (!end.isLost) this.#failed(task, { end }, slot.where);
      else this.#lost(task, slot.where);
    }
    if (end.cause !== undefined) this.#fail(end.cause);
    else if (!slot.hasBegun) this.#failedStart(end);
    this.#dispatch();
  }

  #fail(error: unknown): void {
    for (const queue of this.#queues) {
      this.#queues.delete(queue);
      queue.clear();
      queue.listener.onFailed(error);
    }
  }

  /** A program that never serves calls fails them all, and one that sometimes does not the next. */
  #failedStart(end: WorkerEnd): void {
    if (end.isLost) return;
    this.#failedStarts += 1;
    const isHopeless = !this.#hasBegun && this.#failedStarts >= mostStarts;
    for (const queue of this.#queues) {
      for (let task = queue.take(); task !== undefined; task = queue.take()) {
        if (isHopeless) this.#settle(task, { end }, undefined);
        else {
          this.#failed(task, { end }, undefined);
          return;
        }
      }
    }
  }

  #lost(task: Task, where: string | undefined): void {
    task.losses += 1;
    const { queue } = task;
    if (task.losses <= mostLosses) {
      queue.listener.onNotice(`The worker of ${callOf(task)} was deleted or lost; trying again`);
      queue.giveBack([task]);
      return;
    }
    const problem = `Its worker was deleted or lost, for the ${task.losses}th time.`;
    const reason = { problem, remedy: "Find out who deletes it, then call it again." };
    this.#settle(task, { end: { status: 1, reason } }, where);
  }

  #failed(task: Task, outcome: Exclude<CallOutcome, { bodies: unknown }>, where: string | undefined): void {
    const { queue } = task;
    task.failures += 1;
    if (task.failures > queue.retries || !this.#queues.has(queue)) {
      this.#settle(task, outcome, where);
      return;
    }
    queue.listener.onNotice(`${callOf(task)}: attempt ${task.failures} of ${queue.retries + 1} failed; trying again`);
    queue.giveBack([task]);
  }

  #settle(task: Task, outcome: CallOutcome, where: string | undefined): void {
    const { queue } = task;
    if (!this.#queues.has(queue)) return;
    queue.open -= 1;
    queue.listener.onOutcome(task, outcome, where);
  }
}

/** For people. */
export function callOf({ index, queue: { name, isMap } }: Task): string {
  return isMap ? `${name}, item ${index}` : name;
}
