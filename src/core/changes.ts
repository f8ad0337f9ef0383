/** Lets many wait for the next change of what one follows. */
export class Changes {
  #next: PromiseWithResolvers<void> = Promise.withResolvers();
  #error: unknown;

  wake(): void {
    const { resolve } = this.#next;
    this.#next = Promise.withResolvers();
    resolve();
  }

  fail(error: unknown): void {
    this.#error ??= error;
    this.wake();
  }

  /** Settles with the next change. Rejects after {@link fail}. */
  async next(signal?: AbortSignal): Promise<void> {
    signal?.throwIfAborted();
    if (this.#error) throw this.#error;
    await this.#next.promise;
    signal?.throwIfAborted();
    if (this.#error) throw this.#error;
  }
}
