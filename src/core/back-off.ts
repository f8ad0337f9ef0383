import { setTimeout as sleep } from "node:timers/promises";

export interface BackoffPolicy {
  readonly attempts: number;
  readonly budget?: number;
  readonly firstDelay: number;
  /** Multiplies each further limit. Default: 2. */
  readonly factor?: number;
  readonly maximumDelay?: number;
}

interface WaitOptions {
  /** Milliseconds the server asked for. */
  readonly retryAfter?: number | undefined;
  /** Milliseconds, in place of the policy's. */
  readonly budget?: number | undefined;
  readonly signal?: AbortSignal | undefined;
}

export class Backoff {
  readonly #policy: BackoffPolicy;
  #attempts = 1;
  #waited = 0;

  constructor(policy: BackoffPolicy) {
    this.#policy = policy;
  }

  get attempts(): number {
    return this.#attempts;
  }

  reset(): void {
    this.#attempts = 1;
    this.#waited = 0;
  }

  /**
   * Waits a random time below a growing limit, so that many clients do not return at once, and as long as the server
   * asked.
   *
   * @returns false, without waiting, if attempts or budget are used up
   */
  async wait(options: WaitOptions = {}): Promise<boolean> {
    const { attempts, firstDelay, factor = 2 } = this.#policy;
    const { budget = Number.POSITIVE_INFINITY, maximumDelay = Number.POSITIVE_INFINITY } = this.#policy;
    const limit = Math.min(maximumDelay, firstDelay * factor ** (this.#attempts - 1));
    const delay = Math.max(options.retryAfter ?? 0, limit * (0.5 + Math.random() / 2));
    if (this.#attempts >= attempts || this.#waited + delay > (options.budget ?? budget)) return false;
    this.#waited += delay;
    this.#attempts++;
    const { signal } = options;
    await sleep(delay, undefined, signal && { signal }).catch(() => signal?.throwIfAborted());
    return true;
  }
}
