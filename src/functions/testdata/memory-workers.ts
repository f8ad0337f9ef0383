import { FrameReader, FrameWriter } from "../frames.ts";
import type { FromWorker, ToWorker, Worker, WorkerEnd, WorkerEngine, WorkerGroup, WorkerListener } from "../worker.ts";

/** The function of a worker: gives a result, or ends the worker. */
export type Behaviour = (argument: number, worker: MemoryWorker) => Promise<number> | number;

/** Workers in this process, which can be killed and disconnected. They take the protocol by its word. */
export class MemoryWorkers implements WorkerEngine {
  readonly kind = "process";
  readonly workers: MemoryWorker[] = [];
  readonly #behaviour: Behaviour;
  readonly #room: number;
  readonly #width: number;
  /** How the next workers end instead of starting. */
  failing: WorkerEnd[] = [];
  /** Printed before they say hello. */
  preface: readonly string[] = [];

  constructor(behaviour: Behaviour, room = 2, width = 1) {
    this.#behaviour = behaviour;
    this.#room = room;
    this.#width = width;
  }

  get running(): MemoryWorker[] {
    return this.workers.filter(({ isOver }) => !isOver);
  }

  room(): number {
    return this.#room;
  }

  async open(): Promise<WorkerGroup> {
    const start = (listener: WorkerListener) => {
      const worker = new MemoryWorker(listener, this.#behaviour, this.#width, this.failing.shift(), this.preface);
      this.workers.push(worker);
      return worker;
    };
    return { start, close: async () => {} };
  }
}

export class MemoryWorker implements Worker {
  readonly #listener: WorkerListener;
  readonly #behaviour: Behaviour;
  readonly #width: number;
  readonly #writer: FrameWriter<FromWorker>;
  #reader: FrameReader<ToWorker>;
  #waiting: { readonly id: number; readonly argument: number }[] = [];
  readonly #running = new Set<number>();
  #replies = 0;
  #received = 0;
  #unacknowledged: [string, Buffer[]][] = [];
  #isEnding = false;
  isOver = false;
  isConnected = false;
  /** Arguments in the order in which they ran. */
  readonly ran: number[] = [];

  constructor(listener: WorkerListener, behaviour: Behaviour, width: number, failing: WorkerEnd | undefined, preface: readonly string[]) {
    this.#listener = listener;
    this.#behaviour = behaviour;
    this.#width = width;
    this.#writer = new FrameWriter((data) => void (this.isConnected && !this.isOver && listener.onData(data)));
    this.#reader = this.#newReader();
    setImmediate(() => {
      if (failing) return this.#end(failing);
      if (this.isOver) return undefined;
      listener.onStart("memory");
      for (const text of preface) void listener.onData(Buffer.from(text));
      return this.connect();
    });
  }

  #newReader(): FrameReader<ToWorker> {
    return new FrameReader((header, bodies) => this.#take(header, bodies));
  }

  connect(): void {
    this.#reader = this.#newReader();
    this.isConnected = true;
    this.#listener.onConnect("token");
  }

  /** Loses the data that is on its way. */
  disconnect(): void {
    this.#writer.flush();
    this.isConnected = false;
  }

  readonly write = (data: Buffer): void => {
    if (this.isConnected && !this.isOver) this.#reader.write(data);
  };

  readonly close = (): void => {};

  readonly stop = async (): Promise<void> => this.#end({ status: 143 });

  kill(end: WorkerEnd = { status: 137 }): void {
    this.#end(end);
  }

  print(text: string): void {
    const [id] = this.#running;
    if (id !== undefined) this.#writer.send({ type: "output", id }, [Buffer.from(text)]);
    else void this.#listener.onOutput(Buffer.from(text));
  }

  #end(end: WorkerEnd): void {
    if (this.isOver) return;
    this.#writer.flush();
    this.isOver = true;
    this.#listener.onEnd(end);
  }

  #take(header: ToWorker, bodies: readonly Buffer[]): void {
    if (header.type === "attach") {
      const replies = this.#replies - this.#unacknowledged.length;
      this.#writer.send({ type: "hello", protocol: 1, functions: [], received: this.#received, replies });
      for (const [members, kept] of this.#unacknowledged) this.#writer.sendText(members, kept);
    } else if (header.type === "call") {
      this.#received = header.id;
      this.#waiting.push({ id: header.id, argument: (JSON.parse(String(bodies[0])) as number[])[0] ?? 0 });
      setImmediate(() => this.#pump());
    } else if (header.type === "revoke") {
      const ids = this.#waiting.filter(({ id }) => header.ids.includes(id)).map(({ id }) => id);
      this.#waiting = this.#waiting.filter(({ id }) => !ids.includes(id));
      this.#writer.send({ type: "revoked", ids });
    } else if (header.type === "ack") {
      this.#unacknowledged = this.#unacknowledged.slice(this.#unacknowledged.length - (this.#replies - header.replies));
    } else {
      this.#isEnding = true;
      setImmediate(() => this.#pump());
    }
  }

  #pump(): void {
    while (!this.isOver && this.#running.size < this.#width) {
      const call = this.#waiting.shift();
      if (call === undefined) break;
      this.#running.add(call.id);
      this.ran.push(call.argument);
      void this.#run(call.id, call.argument);
    }
    if (this.#isEnding && this.#running.size === 0 && this.#waiting.length === 0) this.#end({ status: 0 });
  }

  async #run(id: number, argument: number): Promise<void> {
    let reply: [string, Buffer[]];
    try {
      const result = this.#behaviour(argument, this);
      const value = typeof result === "number" ? result : await result;
      reply = [`"type":"result","id":${id}`, [Buffer.from(JSON.stringify(value))]];
    } catch (error) {
      const body = { name: "Error", message: String(error), details: "at work" };
      reply = [`"type":"error","id":${id}`, [Buffer.from(JSON.stringify(body))]];
    }
    if (this.isOver) return;
    this.#running.delete(id);
    this.#replies += 1;
    this.#unacknowledged.push(reply);
    if (this.isConnected) this.#writer.sendText(...reply);
    this.#writer.flush();
    this.#pump();
  }
}
