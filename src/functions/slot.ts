import { isWireError, type WireError } from "../core/wire-error.ts";
import type { CallQueue, Task } from "./call-queue.ts";
import { FrameReader, FrameWriter, protocolVersion } from "./frames.ts";
import type { FromWorker, ToWorker, Worker, WorkerEnd, WorkerGroup } from "./worker.ts";

export interface SlotListener {
  /** It can take calls, at first or again. */
  readonly onReady: (slot: Slot) => void;
  readonly onReply: (
    slot: Slot,
    task: Task,
    reply: { readonly bodies: readonly Buffer[] } | { readonly error: WireError },
  ) => void;
  /** After replies or returned tasks: there is room. */
  readonly onRoom: (slot: Slot) => void;
  readonly onReturned: (slot: Slot, tasks: readonly Task[]) => void;
  readonly onOutput: (task: Task | undefined, data: Buffer) => void | Promise<void>;
  /** `running` are the tasks that ended with it, `waiting` those that it had not begun. */
  readonly onEnd: (slot: Slot, end: WorkerEnd, running: readonly Task[], waiting: readonly Task[]) => void;
  /** Settles when there is room for what replies cause. */
  readonly room: () => void | Promise<void>;
}

const greeting = /\{\s*"type"\s*:\s*"hello"/;
/** Bytes that are kept for a greeting that begins in them. */
const longestPreface = 64 * 1024;

/** Milliseconds for which replies may wait for others. */
const patience = 5;
/** Bytes that wait at most. */
const mostHeld = 16 * 1024;

/** A worker, and the calls that it has. */
export class Slot {
  readonly #worker: Worker;
  readonly #listener: SlotListener;
  readonly #writer: FrameWriter<ToWorker>;
  /** In the order in which they were sent. */
  readonly #tasks = new Map<number, Task>();
  /** Of a batch that runs. */
  #started = new Set<number>();
  #last = 0;
  #replies = 0;
  #hasAcknowledgements = false;
  /** The last line of what came before its greeting. */
  #preface: Buffer | undefined = Buffer.alloc(0);
  #limit: NodeJS.Timeout | undefined;
  #reader = this.#newReader();
  /** Frames that are not read yet. */
  #held: Buffer[] = [];
  #heldBytes = 0;
  #pause: NodeJS.Timeout | undefined;
  /** Said hello on the connection that it has. */
  isReady = false;
  hasBegun = false;
  isEnding = false;
  isRevoking = false;
  /** Its tasks' function. */
  queue: CallQueue | undefined;
  /** Calls that it was given. */
  given = 0;
  where: string | undefined;
  /** When it last replied, or got its first task. */
  active = performance.now();
  idleSince = Date.now();

  constructor(group: WorkerGroup, listener: SlotListener) {
    this.#listener = listener;
    this.#writer = new FrameWriter((data) => this.#worker.write(data));
    this.#worker = group.start({
      onStart: (where) => {
        this.where = where;
      },
      onConnect: (token) => {
        this.#readHeld();
        // A connection may have broken within a frame.
        this.#reader = this.#newReader();
        this.isReady = false;
        this.#hasAcknowledgements = token !== undefined;
        this.#writer.send({ type: "attach", protocol: protocolVersion, ...(token === undefined ? {} : { token }) });
      },
      onData: (chunk) => this.#read(chunk),
      onOutput: (data) => {
        this.#readHeld();
        return listener.onOutput(this.running()[0], data);
      },
      onEnd: (end) => {
        this.#readHeld();
        this.#finish(end, this.running());
      },
    });
  }

  #newReader(): FrameReader<FromWorker> {
    return new FrameReader((header, bodies) => this.#take(header, bodies));
  }

  get size(): number {
    return this.#tasks.size;
  }

  send(task: Task, queue: CallQueue): void {
    this.#last += 1;
    this.given += 1;
    task.runs += 1;
    this.queue = queue;
    if (this.#tasks.size === 0) this.active = performance.now();
    this.#tasks.set(this.#last, task);
    this.#call(this.#last, task);
    this.#watch();
  }

  #call(id: number, { bodies }: Task): void {
    this.#writer.sendText(`"type":"call","id":${id},"function":${this.queue?.quotedName}`, bodies);
  }

  /** Takes back at most so many tasks that it has not begun. */
  revoke(count: number): void {
    const waiting = [...this.#tasks.keys()].slice(this.queue?.width ?? 1);
    if (waiting.length === 0 || this.isRevoking) return;
    this.isRevoking = true;
    this.#writer.send({ type: "revoke", ids: waiting.slice(-count) });
  }

  /** It ends by itself when it has replied. */
  end(): void {
    if (this.isEnding) return;
    this.isEnding = true;
    this.#writer.send({ type: "end" });
    this.#writer.flush();
    this.#worker.close();
  }

  /** Settles when it has ended. */
  stop(): Promise<void> {
    this.isEnding = true;
    return this.#worker.stop();
  }

  /** Tasks that it runs, as far as that is known: it begins them in their order. */
  running(): Task[] {
    if (this.queue?.isBatched) return [...this.#started].flatMap((id) => this.#tasks.get(id) ?? []);
    const found: Task[] = [];
    for (const task of this.#tasks.values()) {
      if (found.length >= (this.queue?.width ?? 1)) break;
      found.push(task);
    }
    return found;
  }

  #read(chunk: Buffer): void | Promise<void> {
    this.#held.push(chunk);
    this.#heldBytes += chunk.length;
    if (this.#pause === undefined || this.#heldBytes > mostHeld) this.#readHeld();
    return this.#listener.room();
  }

  #readHeld(): void {
    clearTimeout(this.#pause);
    this.#pause = undefined;
    if (this.#held.length === 0) return;
    const data = Buffer.concat(this.#held);
    this.#held = [];
    this.#heldBytes = 0;
    const before = this.#replies;
    const { queue } = this;
    try {
      this.#reader.write(this.#withoutPreface(data));
    } catch {
      // A container can send anything.
      this.#giveUp(
        { status: 1, reason: { problem: "Its worker sent what is no frame.", remedy: notOurs } },
        this.running(),
      );
      return;
    }
    const count = this.#replies - before;
    if (count > 0) {
      const now = performance.now();
      queue?.measure((now - this.active) / count);
      this.active = now;
      if (this.#hasAcknowledgements) this.#writer.send({ type: "ack", replies: this.#replies });
      this.#watch();
      this.#listener.onRoom(this);
      if (this.#hasEnough) this.#pause = setTimeout(() => this.#readHeld(), patience);
    }
  }

  /** While it works on what it has, its replies can wait: to handle each as it comes costs more than a quick call. */
  get #hasEnough(): boolean {
    const { queue } = this;
    if (queue === undefined || queue.length === 0) return false;
    return (this.size - queue.width) * (queue.pace ?? 0) >= 2 * patience;
  }

  /** Modules may print before the channel is the worker's own. */
  #withoutPreface(chunk: Buffer): Buffer {
    if (this.#preface === undefined) return chunk;
    const data = Buffer.concat([this.#preface, chunk]);
    const found = data.toString("latin1").search(greeting);
    const line = data.length > longestPreface ? data.length : data.lastIndexOf("\n") + 1;
    const end = found >= 0 ? found : line;
    this.#preface = found >= 0 ? undefined : data.subarray(end);
    if (end > 0) void this.#listener.onOutput(undefined, data.subarray(0, end));
    return found >= 0 ? data.subarray(found) : Buffer.alloc(0);
  }

  #take(header: FromWorker, bodies: readonly Buffer[]): void {
    if (header.type === "hello") this.#greeted(header);
    else if (header.type === "result" || header.type === "error") {
      this.#replies += 1;
      const task = this.#tasks.get(header.id);
      // It was sent again after a connection broke.
      if (task === undefined) return;
      this.#tasks.delete(header.id);
      this.#started.delete(header.id);
      if (this.#tasks.size === 0) this.idleSince = Date.now();
      this.#listener.onReply(this, task, header.type === "result" ? { bodies } : { error: errorOf(bodies[0]) });
    } else if (header.type === "output") {
      void this.#listener.onOutput(this.#tasks.get(header.id), bodies[0] ?? Buffer.alloc(0));
    } else if (header.type === "started") {
      if (Array.isArray(header.ids)) this.#started = new Set(header.ids);
      this.#watch();
    } else if (header.type === "revoked") {
      this.isRevoking = false;
      const ids = Array.isArray(header.ids) ? header.ids : [];
      const tasks = ids.flatMap((id) => this.#tasks.get(id) ?? []);
      for (const id of ids) this.#tasks.delete(id);
      for (const task of tasks) task.runs -= 1;
      this.given -= tasks.length;
      this.#listener.onReturned(this, tasks);
    }
  }

  #greeted({ received, replies }: Extract<FromWorker, { type: "hello" }>): void {
    this.isReady = true;
    this.isRevoking = false;
    this.hasBegun = true;
    this.#replies = Number(replies) || 0;
    for (const [id, task] of this.#tasks) if (id > received) this.#call(id, task);
    this.#listener.onReady(this);
  }

  /** Ends the worker when one of the calls that it runs takes too long. */
  #watch(): void {
    const limit = this.queue?.timeLimit;
    clearTimeout(this.#limit);
    const now = performance.now();
    const running = this.running();
    for (const task of running) {
      if (task.began !== undefined) continue;
      task.began = now;
      task.queue.listener.onBegin(task, this.where);
    }
    if (limit === undefined || running.length === 0) return;
    const left = Math.min(...running.map(({ began = now }) => began)) + limit * 1000 - now;
    // A timer of Node waits 24 days at most.
    this.#limit = setTimeout(
      () => (left > 2 ** 31 - 1 ? this.#watch() : this.#late()),
      Math.max(0, Math.min(left, 2 ** 31 - 1)),
    );
  }

  #late(): void {
    this.#readHeld();
    const now = performance.now();
    const limit = this.queue?.timeLimit ?? 0;
    const late = this.running().filter(({ began = now }) => now - began >= limit * 1000);
    if (late.length === 0) {
      this.#watch();
      return;
    }
    const problem = `It took longer than its time limit of ${limit} s.`;
    this.#giveUp({ status: 124, reason: { problem, remedy: "Give it more time, or less to do." } }, late);
  }

  /** Ends it, and does not wait for that. */
  #giveUp(end: WorkerEnd, failed: readonly Task[]): void {
    this.#finish(end, failed);
    void this.#worker.stop();
  }

  #finish(end: WorkerEnd, running: readonly Task[]): void {
    clearTimeout(this.#limit);
    clearTimeout(this.#pause);
    const waiting = [...this.#tasks.values()].filter((task) => !running.includes(task));
    // Replies that are lost with a connection hide which ones ran. Those in a pipe all arrive.
    if (!this.#hasAcknowledgements) for (const task of waiting) task.runs -= 1;
    this.#tasks.clear();
    this.isEnding = true;
    this.isReady = false;
    this.#listener.onEnd(this, end, running, waiting);
  }
}

const notOurs = "If the image was built by another version of Slipway, build it again.";

function errorOf(body: Buffer | undefined): WireError {
  try {
    const error: unknown = JSON.parse(String(body));
    if (isWireError(error)) return error;
  } catch {
    // It is no error of ours.
  }
  const message = `The worker sent an error that is damaged.\n${notOurs}`;
  return { name: "Failure", message, details: message };
}
