import { type ChildProcess, spawn } from "node:child_process";
import { EventEmitter, once } from "node:events";
import { Duplex } from "node:stream";
import { FrameReader, FrameWriter } from "../../functions/frames.ts";
import type { FromWorker, ToWorker } from "../../functions/worker.ts";

export type Frame = FromWorker & { readonly text: string };

/** Frames that come from a stream, one after the other. */
export class Frames {
  readonly writer: FrameWriter<ToWorker>;
  readonly #stream: Duplex;
  readonly #frames: Frame[] = [];
  readonly #changes = new EventEmitter();

  constructor(stream: Duplex) {
    this.#stream = stream;
    this.writer = new FrameWriter((data) => void stream.write(data));
    const reader = new FrameReader<FromWorker>((header, bodies) => {
      this.#frames.push({ ...header, text: bodies.map(String).join("|") });
    });
    stream.on("error", () => {});
    stream.on("data", (piece: Buffer) => {
      reader.write(piece);
      this.#changes.emit("change");
    });
    stream.on("close", () => this.#changes.emit("change"));
  }

  async next(): Promise<Frame> {
    for (;;) {
      const frame = this.#frames.shift();
      if (frame) return frame;
      if (this.#stream.destroyed) throw new Error("the worker closed the channel");
      await once(this.#changes, "change");
    }
  }

  call(id: number, name: string, ...args: unknown[]): void {
    this.writer.send({ type: "call", id, function: name }, [Buffer.from(JSON.stringify(args))]);
  }

  raw(text: string): void {
    this.#stream.write(text);
  }

  close(): void {
    this.#stream.destroy();
  }
}

/** Starts a program as a worker that is reached by a socket. */
export function startWorker(program: string, ...words: readonly string[]) {
  const env = { ...process.env, SLIPWAY_WORKER: "1", SLIPWAY_WORKER_CHANNEL: "fd:3,4" };
  const child: ChildProcess = spawn(process.execPath, [program, ...words], { env, stdio: ["ignore", "pipe", "pipe", "pipe", "pipe"] });
  const ended = once(child, "close") as Promise<[number | null, NodeJS.Signals | null]>;
  let errors = "";
  child.stderr?.on("data", (data) => {
    errors += data;
  });
  child.stdout?.on("data", (data) => {
    errors += data;
  });
  const frames = new Frames(Duplex.from({ readable: child.stdio[4], writable: child.stdio[3] } as never));
  return { child, frames, ended, errors: () => errors };
}
