import { closeSync, mkdirSync, openSync, rmSync } from "node:fs";
import { createServer, type Server } from "node:net";
import { dirname } from "node:path";
import type { Readable } from "node:stream";
import { detectEngine } from "../containers/choose-engine.ts";
import type { Environment } from "../core/environment.ts";
import { type Sink, writeTo } from "../core/flow.ts";
import { isRunning } from "../core/processes.ts";
import { ProgramSession } from "./program-session.ts";
import type { ProgramWorkers } from "./program-workers.ts";
import { warmSocket } from "./warm-socket.ts";
import type { WorkerEngine } from "./worker.ts";

/** Milliseconds between looks at the program, and for which a program may come. */
const interval = 250;
const patience = 60_000;

/** Makes calls of programs, and keeps workers for their next runs. */
export class CallServer {
  readonly #env: Environment;
  readonly #pods: ReturnType<typeof openPods>;
  /** Workers that wait, with the time at which they end. */
  readonly #warm = new Map<ProgramWorkers, number>();
  readonly #servers = new Map<string, Server>();
  #callers = 0;

  constructor(env: Environment, images: readonly string[] = []) {
    this.#env = env;
    this.#pods = openPods(env, images);
  }

  /** Makes the calls of the program at the other end, until it closes. */
  async serve(input: Readable, write: Sink): Promise<void> {
    this.#callers += 1;
    const [left] = this.#warm.keys();
    if (left) this.#warm.delete(left);
    const session = new ProgramSession(write, this.#env, this.#pods, left);
    input.on("data", (piece: Buffer) => {
      try {
        session.write(piece);
      } catch (error) {
        process.stderr.write(`slipway: the program sent what is no frame: ${String(error)}\n`);
        input.destroy();
      }
    });
    const { promise, resolve } = Promise.withResolvers<void>();
    for (const event of ["end", "error", "close"]) input.once(event, () => resolve());
    await promise;
    const workers = await session.end();
    this.#callers -= 1;
    if (workers) this.#keep(workers);
  }

  #keep(workers: ProgramWorkers): void {
    const path = warmSocket(workers.env);
    const until = workers.warmUntil();
    if (path === undefined || until === 0) return;
    if (!this.#servers.has(path)) {
      // A newer one takes the place of an older one.
      rmSync(path, { force: true });
      mkdirSync(dirname(path), { recursive: true, mode: 0o700 });
      this.listen(path);
      detach();
    }
    this.#warm.set(workers, until);
  }

  /** Takes programs that connect. */
  listen(path: string): void {
    const server = createServer(async (socket) => {
      socket.on("error", () => {});
      await this.serve(socket, (data) => (socket.writable ? writeTo(socket, data) : undefined));
      socket.end();
    });
    server.on("error", () => {});
    server.listen(path);
    this.#servers.set(path, server);
  }

  /** Settles when nobody calls, no workers wait, and `isAwaited` says that no program is about to come. */
  async end(isAwaited: () => boolean = () => false): Promise<void> {
    const { promise, resolve } = Promise.withResolvers<void>();
    const look = () => {
      for (const [workers, until] of this.#warm) {
        if (until > Date.now()) continue;
        this.#warm.delete(workers);
        this.#callers += 1;
        void workers.close().finally(() => {
          this.#callers -= 1;
        });
      }
      if (this.#callers === 0 && this.#warm.size === 0 && !isAwaited()) resolve();
    };
    const timer = setInterval(look, interval);
    look();
    await promise;
    clearInterval(timer);
    // Removes the sockets too.
    for (const server of this.#servers.values()) server.close();
  }
}

/** Readers of the program's output must not wait for this process. */
function detach(): void {
  closeSync(2);
  openSync("/dev/null", "w");
}

/** The same over a socket, for the program `pid` that starts soon. Removes the socket's folder at the end. */
export async function serveSocket(path: string, pid: number, images: readonly string[]): Promise<void> {
  const server = new CallServer({ ...process.env }, images);
  const since = Date.now();
  server.listen(path);
  await server.end(() => isRunning(pid) && Date.now() - since < patience);
  rmSync(dirname(path), { recursive: true, force: true });
}

/**
 * Connects to the cluster at once if that is the engine, so that it is there when the first call comes.
 *
 * @param images that are going to be used
 */
function openPods(env: Environment, images: readonly string[]): () => Promise<WorkerEngine> {
  const open = async () => {
    const { PodWorkers } = await import("./pod-workers.ts");
    return new PodWorkers(env, images);
  };
  let opened: Promise<WorkerEngine> | undefined;
  try {
    if (images.length > 0 && detectEngine(env).kind === "kubernetes") opened = open();
    opened?.catch(() => {});
  } catch {
    // The first call reports it.
  }
  return () => {
    opened ??= open();
    return opened;
  };
}
