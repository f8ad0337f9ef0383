import { AsyncLocalStorage } from "node:async_hooks";
import { timingSafeEqual } from "node:crypto";
import { writeSync } from "node:fs";
import { createServer, type Socket } from "node:net";
import { wholeProgram } from "../core/protocol.ts";
import { prefixOf, WholeLines } from "../core/whole-lines.ts";
import { toWire } from "../core/wire-error.ts";
import { type Bodies, FrameReader, FrameWriter, protocolVersion } from "../functions/frames.ts";
import type { FromWorker, ToWorker } from "../functions/worker.ts";
import type { ImageFunction } from "./image-functions.ts";
import { clearScratch } from "./own-place.ts";
import { type Served, unknownFunction } from "./served.ts";
import { decodeArguments, encodeValue } from "./values.ts";

/** Milliseconds without a connection, and between looks at the channel while short calls follow each other. */
const patience = 60_000;
const turn = 5;

interface Call {
  readonly id: number;
  readonly name: string;
  readonly bodies: readonly Buffer[];
  /** Of a pod: whole lines for its log. */
  log?: WholeLines;
}

type Functions = ReadonlyMap<string, Pick<ImageFunction, "fn" | "options" | "hooks">>;

/** Serves calls until it is told to end. */
export class Worker {
  readonly #served: Served;
  readonly #functions: Functions;
  readonly #program: (...args: never[]) => unknown;
  readonly #current = new AsyncLocalStorage<Call>();
  readonly #states = new Map<string, Promise<unknown>>();
  #waiting: Call[] = [];
  readonly #running = new Map<number, Call>();
  #writer: FrameWriter<FromWorker> | undefined;
  #connection: Socket | undefined;
  #isEnding = false;
  #withoutConnection: NodeJS.Timeout | undefined;
  #batching: NodeJS.Timeout | undefined;
  /**
   * Frames that must arrive although the channel can break: replies, and those before the next reply. `reply` counts
   * the reply whose acknowledgement covers it.
   */
  readonly #unacknowledged: { readonly reply: number; readonly members: string; readonly bodies: Bodies }[] = [];
  #replies = 0;
  #received = 0;
  #turnBegan = 0;

  constructor(served: Served, functions: Functions, program: (...args: never[]) => unknown) {
    this.#served = served;
    this.#functions = functions;
    this.#program = program;
  }

  /** Never returns: the process ends with it. */
  async run(): Promise<never> {
    this.#capture();
    const { input, write, channel } = this.#served;
    if (input && write) {
      this.#writer = new FrameWriter(write);
      const reader = new FrameReader<ToWorker>((header, bodies) => this.#take(header, bodies));
      input.on("data", (piece: Buffer) => this.#read(reader, piece, endByFault));
      input.on("end", () => process.exit(129));
    } else this.#listen(Number(channel.slice("tcp:".length)));
    return new Promise<never>(() => {});
  }

  #read(reader: FrameReader<ToWorker>, piece: Buffer, onFault: (error: unknown) => void): void {
    try {
      reader.write(piece);
      this.#pump();
    } catch (error) {
      onFault(error);
    }
  }

  #listen(port: number): void {
    const wait = () => {
      this.#withoutConnection = setTimeout(() => process.exit(129), patience);
    };
    const server = createServer({ noDelay: true }, (socket) => {
      const reader = new FrameReader<ToWorker>((header, bodies) => {
        if (isKnown()) return this.#take(header, bodies);
        if (header.type !== "attach" || !isEqual(header.token ?? "", this.#served.token)) return socket.destroy();
        // The helper has a new connection, so the old one is broken.
        this.#connection?.destroy();
        clearTimeout(this.#withoutConnection);
        this.#connection = socket;
        this.#writer = new FrameWriter((data) => void socket.write(data));
        this.#take(header, bodies);
        return undefined;
      });
      socket.on("error", () => {});
      const isKnown = () => socket === this.#connection;
      const refuse = (error: unknown) => (isKnown() ? endByFault(error) : socket.destroy());
      socket.on("data", (piece: Buffer) => this.#read(reader, piece, refuse));
      socket.on("close", () => {
        if (!isKnown()) return;
        this.#connection = undefined;
        this.#writer = undefined;
        wait();
      });
    });
    server.listen(port, "127.0.0.1");
    wait();
  }

  #take(header: ToWorker, bodies: readonly Buffer[]): void {
    if (header.type === "call") {
      this.#received = header.id;
      this.#waiting.push({ id: header.id, name: header.function, bodies });
    } else if (header.type === "attach") this.#greet();
    else if (header.type === "ack") {
      const left = this.#unacknowledged.findIndex(({ reply }) => reply > header.replies);
      this.#unacknowledged.splice(0, left < 0 ? this.#unacknowledged.length : left);
    } else if (header.type === "revoke") {
      const wanted = new Set(header.ids);
      const ids = this.#waiting.filter(({ id }) => wanted.has(id)).map(({ id }) => id);
      this.#waiting = this.#waiting.filter(({ id }) => !wanted.has(id));
      this.#send(this.#replies + 1, `"type":"revoked","ids":${JSON.stringify(ids)}`, []);
    } else if (header.type === "end") {
      this.#isEnding = true;
      this.#waiting = [];
    }
  }

  #greet(): void {
    const [oldest] = this.#unacknowledged;
    const replies = oldest === undefined ? this.#replies : oldest.reply - 1;
    const functions = [...this.#functions.keys()];
    this.#writer?.send({ type: "hello", protocol: protocolVersion, functions, received: this.#received, replies });
    for (const { members, bodies } of this.#unacknowledged) this.#writer?.sendText(members, bodies);
  }

  #send(reply: number, members: string, bodies: Bodies): void {
    if (this.#served.channel.startsWith("tcp:")) this.#unacknowledged.push({ reply, members, bodies });
    this.#writer?.sendText(members, bodies);
  }

  /** Starts calls in the order in which they came. */
  #pump(): void {
    this.#turnBegan = performance.now();
    for (;;) {
      const [next] = this.#waiting;
      if (next === undefined) break;
      const { batch, concurrency = 1 } = this.#functions.get(next.name)?.options ?? {};
      const isBusy = this.#running.size > 0;
      const [running] = this.#running.values();
      const fits = batch === undefined && running?.name === next.name && this.#running.size < concurrency;
      if (isBusy && !fits) return;
      const room = this.#writer?.room;
      if (room) {
        // If the next call ended this process, a reply on its way would be lost, and its call run again.
        void room.then(() => this.#pump());
        return;
      }
      if (batch !== undefined) {
        this.#collect(next.name, batch);
        return;
      }
      this.#waiting.shift();
      this.#running.set(next.id, next);
      const pending = this.#current.run(next, () => this.#call(next));
      if (pending !== undefined) void pending.then(() => this.#pump());
      else if (performance.now() - this.#turnBegan > turn) {
        // Frames that came meanwhile may change the order.
        setImmediate(() => this.#pump());
        return;
      }
    }
    if (this.#isEnding && this.#running.size === 0) void this.#end();
  }

  /** Waits for more items of a function that takes several at once. */
  #collect(name: string, { size, wait }: { readonly size: number; readonly wait: number }): void {
    const { length } = this.#neighbours(name, size);
    const isFull = length === size || length < this.#waiting.length || this.#isEnding;
    const start = () => {
      clearTimeout(this.#batching);
      this.#batching = undefined;
      this.#start(name, size);
    };
    if (isFull) start();
    else this.#batching ??= setTimeout(start, wait * 1000);
  }

  /** The first calls that wait, as far as they are of this function. */
  #neighbours(name: string, size: number): Call[] {
    const other = this.#waiting.findIndex((call) => call.name !== name);
    return this.#waiting.slice(0, other < 0 ? size : Math.min(other, size));
  }

  #start(name: string, size: number): void {
    const calls = this.#neighbours(name, size);
    const [first] = calls;
    if (first === undefined || this.#running.size > 0) return;
    this.#waiting.splice(0, calls.length);
    for (const call of calls) this.#running.set(call.id, call);
    this.#send(this.#replies + 1, `"type":"started","ids":${JSON.stringify(calls.map(({ id }) => id))}`, []);
    this.#writer?.flush();
    void this.#current.run(first, () => this.#callAll(calls)).then(() => this.#pump());
  }

  /** Undefined: it has ended already. */
  #call(call: Call): void | Promise<void> {
    try {
      const known = this.#functions.get(call.name);
      const args = decodeArguments(call.bodies);
      if (known?.hooks.setup || args instanceof Promise) return this.#callLater(call, args);
      const result = (this.#find(call.name) as (...args: unknown[]) => unknown)(...args);
      if (isThenable(result))
        return result.then(
          (value) => this.#answer(call, value),
          (error) => this.#fail(call, error),
        );
      return this.#answer(call, result);
    } catch (error) {
      return this.#fail(call, error);
    }
  }

  async #callLater(call: Call, args: unknown[] | Promise<unknown[]>): Promise<void> {
    try {
      const fn = this.#find(call.name) as (...args: unknown[]) => unknown;
      const result = await fn(...(await this.#stateOf(call.name)), ...(await args));
      await this.#answer(call, result);
    } catch (error) {
      this.#fail(call, error);
    }
  }

  async #callAll(calls: readonly Call[]): Promise<void> {
    const [{ name } = { name: "" }] = calls;
    const items = await Promise.allSettled(calls.map(async ({ bodies }) => (await decodeArguments(bodies))[0]));
    const values = items.flatMap((item) => (item.status === "fulfilled" ? [item.value] : []));
    for (const [index, item] of items.entries())
      if (item.status === "rejected") this.#fail(calls[index] as Call, item.reason);
    const left = calls.filter((_, index) => items[index]?.status === "fulfilled");
    if (left.length === 0) return;
    try {
      const fn = this.#find(name) as (...args: unknown[]) => unknown;
      const results = await fn(...(await this.#stateOf(name)), values);
      if (!Array.isArray(results) || results.length !== left.length) {
        const given = Array.isArray(results) ? `${results.length} results` : "no list";
        throw new TypeError(`${JSON.stringify(name)} returned ${given} for a batch of ${left.length} items`);
      }
      for (const [index, call] of left.entries()) await this.#answer(call, results[index]);
    } catch (error) {
      for (const call of left) if (this.#running.has(call.id)) this.#fail(call, error);
    }
  }

  #find(name: string): (...args: never[]) => unknown {
    const fn = name === wholeProgram ? this.#program : this.#functions.get(name)?.fn;
    if (fn !== undefined) return fn;
    const remedy =
      "Define it with inImage before main is called. If the image was built from other sources, build it again.";
    throw unknownFunction(name, this.#functions, remedy);
  }

  /** The first argument of a function with `setup`. A setup that failed is tried again by the next call. */
  async #stateOf(name: string): Promise<readonly unknown[]> {
    const setup = this.#functions.get(name)?.hooks.setup;
    if (setup === undefined) return [];
    const state = this.#states.get(name) ?? Promise.resolve().then(() => setup());
    this.#states.set(name, state);
    state.catch(() => this.#states.delete(name));
    return [await state];
  }

  #answer(call: Call, result: unknown): void | Promise<void> {
    if (result === undefined) return this.#reply(call, "result", []);
    const subject = `result of ${call.name === wholeProgram ? "the program" : JSON.stringify(call.name)}`;
    const bodies = encodeValue(result, subject, true);
    if (!(bodies instanceof Promise)) return this.#reply(call, "result", bodies);
    return bodies.then((all) => this.#reply(call, "result", all)).catch((error) => this.#fail(call, error));
  }

  #fail(call: Call, error: unknown): void {
    this.#reply(call, "error", [Buffer.from(JSON.stringify(toWire(error)))]);
  }

  #reply({ id, log }: Call, type: "result" | "error", bodies: Bodies): void {
    void log?.end();
    this.#running.delete(id);
    const members = `"type":"${type}","id":${id}`;
    this.#replies += 1;
    this.#send(this.#replies, members, bodies);
    // The next call may take long, or end the process.
    this.#writer?.flush();
    if (this.#running.size === 0) clearScratch();
  }

  /** Sends output of calls to the program. A pod's log has it too. */
  #capture(): void {
    const isPod = this.#served.channel.startsWith("tcp:");
    const print = process.stderr.write.bind(process.stderr);
    for (const stream of [process.stdout, process.stderr]) {
      const write = stream.write.bind(stream) as typeof process.stderr.write;
      stream.write = ((chunk: string | Uint8Array, encoding?: unknown, done?: unknown) => {
        const call = this.#current.getStore();
        if (call === undefined || !this.#running.has(call.id))
          return write(chunk, encoding as BufferEncoding, done as () => void);
        const data = typeof chunk === "string" ? Buffer.from(chunk, encoding as BufferEncoding) : Buffer.from(chunk);
        if (isPod) {
          call.log ??= new WholeLines(
            () => prefixOf(`${call.name} ${call.id}`),
            (lines) => void print(lines),
          );
          void call.log.write(data);
        }
        this.#writer?.send({ type: "output", id: call.id }, [data]);
        // The call may end the process.
        this.#writer?.flush();
        const callback = typeof encoding === "function" ? encoding : done;
        if (typeof callback === "function") queueMicrotask(callback as () => void);
        return true;
      }) as typeof stream.write;
    }
  }

  async #end(): Promise<never> {
    for (const [name, state] of this.#states) {
      const teardown = this.#functions.get(name)?.hooks.teardown;
      await state.then(teardown as (state: unknown) => unknown).catch((error) => {
        process.stderr.write(`slipway: the teardown of ${JSON.stringify(name)} failed: ${String(error)}\n`);
      });
    }
    await this.#served.drained?.();
    process.exit(0);
  }
}

function endByFault(error: unknown): never {
  writeSync(2, `slipway: the helper sent what is no frame: ${String(error)}\n`);
  process.exit(129);
}

function isThenable(value: unknown): value is Promise<unknown> {
  return typeof value === "object" && value !== null && "then" in value && typeof value.then === "function";
}

function isEqual(given: string, known: string): boolean {
  const [one, other] = [Buffer.from(given), Buffer.from(known)];
  return one.length === other.length && timingSafeEqual(one, other);
}
