import { FrameReader, FrameWriter } from "../frames.ts";
import type { FromWorker, ToWorker, Worker, WorkerEnd, WorkerGroup } from "../worker.ts";

/** A worker, and one who calls it without a scheduler. */
export class Line {
  readonly #worker: Worker;
  readonly #writer: FrameWriter<ToWorker>;
  readonly #ready = Promise.withResolvers<void>();
  readonly #started = Promise.withResolvers<void>();
  readonly #ended = Promise.withResolvers<WorkerEnd>();
  readonly #calls = new Map<number, { readonly name: string; readonly body: Buffer; readonly done: (text: string) => void }>();
  #last = 0;
  #replies = 0;
  /** Its program runs. */
  readonly started = this.#started.promise;
  /** It said hello. */
  readonly ready = this.#ready.promise;
  readonly ended = this.#ended.promise;
  isReady = false;
  connections = 0;
  token: string | undefined;
  pod: string | undefined;
  output = "";

  constructor(group: WorkerGroup) {
    this.#writer = new FrameWriter((data) => this.#worker.write(data));
    const newReader = () => new FrameReader<FromWorker>((header, bodies) => this.#take(header, bodies));
    let reader = newReader();
    this.#worker = group.start({
      onStart: (where) => {
        this.#started.resolve();
        this.pod = where?.split(" ")[0];
      },
      onConnect: (token) => {
        reader = newReader();
        this.connections += 1;
        this.token = token;
        this.#writer.send({ type: "attach", protocol: 1, token: token ?? "" });
      },
      onData: (chunk) => reader.write(chunk),
      onOutput: (data) => {
        this.output += data;
      },
      onEnd: this.#ended.resolve,
    });
  }

  /** @returns its result as JSON */
  async call(name: string, ...args: readonly unknown[]): Promise<string> {
    await this.ready;
    this.#last += 1;
    const id = this.#last;
    const { promise, resolve } = Promise.withResolvers<string>();
    this.#calls.set(id, { name, body: Buffer.from(JSON.stringify(args)), done: resolve });
    this.#send(id);
    return promise;
  }

  end(): void {
    this.#writer.send({ type: "end" });
    this.#writer.flush();
    this.#worker.close();
  }

  stop(): Promise<void> {
    return this.#worker.stop();
  }

  #send(id: number): void {
    const { name = "", body = Buffer.alloc(0) } = this.#calls.get(id) ?? {};
    this.#writer.send({ type: "call", id, function: name }, [body]);
  }

  #take(header: FromWorker, bodies: readonly Buffer[]): void {
    if (header.type === "hello") {
      this.isReady = true;
      this.#ready.resolve();
      this.#replies = header.replies;
      for (const id of this.#calls.keys()) if (id > header.received) this.#send(id);
    } else if (header.type === "result" || header.type === "error") {
      this.#replies += 1;
      this.#writer.send({ type: "ack", replies: this.#replies });
      this.#calls.get(header.id)?.done(String(bodies[0]));
      this.#calls.delete(header.id);
    } else if (header.type === "output") this.output += bodies[0];
  }
}
