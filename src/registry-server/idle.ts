import type { Socket } from "node:net";

/** Milliseconds. */
export const idleLimit = 30 * 60 * 1000;

/** Milliseconds that a push may pause between two connections, and that a file's time may lag behind the clock. */
const pause = 10 * 1000;
const lag = 1000;

/** Tells since when clients have been connected without a pause: what they used since may belong to a running push. */
export class ClientWatch {
  readonly #now: () => number;
  readonly #known = new WeakSet<Socket>();
  #open = 0;
  #since = 0;
  #lastEnd = Number.NEGATIVE_INFINITY;

  constructor(now: () => number) {
    this.#now = now;
  }

  /** Call it for requests with the right to what they ask. */
  saw(socket: Socket): void {
    if (this.#known.has(socket)) return;
    this.#known.add(socket);
    if (this.#open === 0 && this.#now() - this.#lastEnd > pause) this.#since = this.#now();
    this.#open += 1;
    socket.once("close", () => {
      this.#open -= 1;
      this.#lastEnd = this.#now();
    });
  }

  /** Milliseconds since the epoch. */
  get since(): number {
    return this.#since - lag;
  }
}

/** May stop when no request is open, none came for {@link idleLimit}, and no token is valid, for an engine may pull. */
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
