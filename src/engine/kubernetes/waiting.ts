import { setTimeout as delay } from "node:timers/promises";
import type { Trouble } from "./failure.ts";
import type { Observed } from "./status.ts";

/** Milliseconds that a job may be without a pod before the cluster is asked why, and between such questions. */
const podTime = 2000;

/** The notices that were printed about a job that waits. */
export class Waiting {
  readonly #notice: (text: string) => void;
  readonly #since = Date.now();
  #told = "";

  constructor(notice: (text: string) => void) {
    this.#notice = notice;
  }

  isLong(): boolean {
    return Date.now() - this.#since >= podTime;
  }

  /** Tells of what passes, once. @returns what does not */
  note(trouble: Trouble | undefined): Trouble | undefined {
    if (trouble?.isFinal) return trouble;
    if (trouble && trouble.words !== this.#told) {
      this.#told = trouble.words;
      this.#notice(trouble.words);
    }
    return undefined;
  }

  /** Settles with a change; for a job without a pod, at most a while later. */
  async change(change: Promise<void>, { pods }: Observed): Promise<void> {
    if (pods.length > 0) return change;
    const stop = new AbortController();
    const timer = delay(podTime, undefined, { signal: stop.signal }).catch(() => {});
    await Promise.race([change, timer]).finally(() => stop.abort());
  }
}
