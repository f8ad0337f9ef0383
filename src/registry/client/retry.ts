import { setTimeout as sleep } from "node:timers/promises";

/** How long and how often to try again. Times are milliseconds. */
export interface RetryPolicy {
  /** Maximum number of attempts, including the first. */
  readonly attempts: number;
  /** Maximum total wait of one request. */
  readonly budget: number;
  /** Upper limit of the first wait; each further one doubles it. */
  readonly firstDelay: number;
  readonly maximumDelay: number;
  /** Maximum total wait for connection failures before a registry's first answer: it probably does not exist. */
  readonly firstContactBudget: number;
}

export const defaultRetryPolicy: RetryPolicy = {
  attempts: 8,
  budget: 90_000,
  firstDelay: 500,
  maximumDelay: 20_000,
  firstContactBudget: 2_000,
};

interface WaitOptions {
  /** Milliseconds the server asked for. */
  readonly retryAfter?: number | undefined;
  /** Milliseconds, in place of the policy's. */
  readonly budget?: number | undefined;
  readonly signal?: AbortSignal | undefined;
}

/** The waits between the attempts of one request. */
export class Backoff {
  readonly #policy: RetryPolicy;
  #attempts = 1;
  #waited = 0;

  constructor(policy: RetryPolicy) {
    this.#policy = policy;
  }

  /** Attempts made so far. */
  get attempts(): number {
    return this.#attempts;
  }

  /** Resets the count after progress. */
  reset(): void {
    this.#attempts = 1;
    this.#waited = 0;
  }

  /**
   * Waits before the next attempt: a random time up to a limit that doubles, so that many clients do not return at once, and never
   * less than the server asked for.
   *
   * @returns false, without waiting, if attempts or budget are used up
   */
  async wait(options: WaitOptions = {}): Promise<boolean> {
    const { attempts, budget, firstDelay, maximumDelay } = this.#policy;
    const limit = Math.min(maximumDelay, firstDelay * 2 ** (this.#attempts - 1));
    const delay = Math.max(options.retryAfter ?? 0, limit * (0.5 + Math.random() / 2));
    if (this.#attempts >= attempts || this.#waited + delay > (options.budget ?? budget)) return false;
    this.#waited += delay;
    this.#attempts++;
    const { signal } = options;
    await sleep(delay, undefined, signal && { signal }).catch(() => signal?.throwIfAborted());
    return true;
  }
}

/** Whether a retry may succeed. 507, a full disk, does not go away by waiting. */
export function isRetriableStatus(status: number): boolean {
  return [408, 425, 429, 500, 502, 503, 504].includes(status);
}

const permanentFaults: readonly string[] = ["ENOTFOUND", "EACCES", "EPERM", "ENOENT", "EPROTO"];

/** Whether a connection failure may be temporary. Unknown host names and untrusted certificates are not. */
export function isRetriableFault(error: unknown): boolean {
  const { code, statusCode } = (error ?? {}) as { code?: unknown; statusCode?: number };
  // The proxy made no connection. 403 and 407 are about the user.
  if (code === "ERR_PROXY_TUNNEL") return statusCode === undefined || isRetriableStatus(statusCode);
  if (typeof code !== "string" || permanentFaults.includes(code)) return false;
  return /^(E[A-Z]+|EAI_AGAIN|HPE_[A-Z_]+|ERR_STREAM_PREMATURE_CLOSE)$/.test(code);
}

/** Milliseconds that a `Retry-After` field asks to wait: RFC 9110, section 10.2.3, seconds or a date. */
export function parseRetryAfter(value: string | undefined, now = Date.now()): number | undefined {
  if (value === undefined) return undefined;
  if (/^\s*\d+\s*$/.test(value)) return Number(value) * 1000;
  const date = Date.parse(value);
  return Number.isNaN(date) ? undefined : Math.max(0, date - now);
}
