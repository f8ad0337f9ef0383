/** Milliseconds without a request after which the server stops. */
export const idleLimit = 30 * 60 * 1000;

/**
 * Tells whether the server may stop: no request is open, none came for {@link idleLimit}, and no token is valid. An engine with a valid token may
 * still pull.
 */
export class IdleWatch {
  readonly #now: () => number;
  readonly #latestExpiry: () => number;
  #open = 0;
  #lastActivity: number;

  constructor(options: { readonly now: () => number; readonly latestExpiry: () => number }) {
    this.#now = options.now;
    this.#latestExpiry = options.latestExpiry;
    this.#lastActivity = options.now();
  }

  started(): void {
    this.#open += 1;
    this.#lastActivity = this.#now();
  }

  ended(): void {
    this.#open -= 1;
    this.#lastActivity = this.#now();
  }

  mayStop(): boolean {
    const now = this.#now();
    return this.#open === 0 && now - this.#lastActivity >= idleLimit && now >= this.#latestExpiry();
  }
}
