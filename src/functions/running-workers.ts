import type { Writable } from "node:stream";
import { setTimeout as delay } from "node:timers/promises";
import { writeTo } from "../core/flow.ts";
import type { Worker } from "./worker.ts";

/** Milliseconds between SIGTERM and SIGKILL, and for a worker to end by itself. */
export const grace = 5000;

/** Workers of this machine. */
export class RunningWorkers {
  readonly #all = new Set<Promise<unknown>>();

  /** @param closed settles when the worker has ended */
  add(closed: Promise<unknown>, input: () => Writable | null | undefined, stop: () => Promise<void>): Worker {
    this.#all.add(closed);
    void closed.finally(() => this.#all.delete(closed));
    return {
      write: (data) => {
        const target = input();
        return target ? writeTo(target, data) : undefined;
      },
      // One that does not end by itself is ended.
      close: () =>
        void delay(grace, undefined, { ref: false }).then(() => (this.#all.has(closed) ? stop() : undefined)),
      stop,
    };
  }

  /** Waits for workers that were told to end. */
  async ended(): Promise<void> {
    await Promise.all(this.#all);
  }
}
