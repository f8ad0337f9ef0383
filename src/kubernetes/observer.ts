import { scopedSignal } from "../core/scoped-signal.ts";
import type { Api } from "./api.ts";
import type { Metadata } from "./objects.ts";
import { Quiet } from "./quiet.ts";
import { type Selection, watchAll } from "./watch.ts";

/** Watches several selections together, until its scope ends or its signal aborts. */
export abstract class Observer implements Disposable {
  readonly #scope: ReturnType<typeof scopedSignal>;
  readonly #quiet: Quiet;
  #next: PromiseWithResolvers<void> = Promise.withResolvers();
  #error: unknown;
  #awaited = 0;

  /** @param whatGoesOn while the cluster does not answer, for people */
  constructor(signal: AbortSignal | undefined, notice: (text: string) => void, whatGoesOn: string) {
    this.#scope = scopedSignal(signal);
    this.#quiet = new Quiet(notice, whatGoesOn);
    signal?.addEventListener("abort", () => this.wake(), { once: true, signal: this.#scope.signal });
  }

  protected watch<Item extends { readonly metadata: Metadata }>(
    api: Api,
    selection: Selection,
    note: (items: ReadonlyMap<string, Item>) => void,
  ): void {
    let isKnown = false;
    this.#awaited += 1;
    watchAll<Item>(api, selection, { signal: this.#scope.signal, quiet: this.#quiet }, (items) => {
      note(items);
      if (!isKnown) this.#awaited -= 1;
      isKnown = true;
      this.wake();
    }).then(
      () => this.wake(),
      (error: unknown) => {
        this.#error ??= error;
        this.wake();
      },
    );
  }

  protected wake(): void {
    const { resolve } = this.#next;
    this.#next = Promise.withResolvers();
    resolve();
  }

  /** Settles once every selection is known. */
  async ready(signal?: AbortSignal): Promise<void> {
    while (this.#awaited > 0) await this.change(signal);
  }

  /** Settles with the next change, and rejects if there will be none. */
  change(signal?: AbortSignal): Promise<void> {
    const change = this.#changed(signal);
    change.catch(() => {});
    return change;
  }

  async #changed(signal: AbortSignal | undefined): Promise<void> {
    signal?.throwIfAborted();
    if (this.#error) throw this.#error;
    await this.#next.promise;
    signal?.throwIfAborted();
    if (this.#error) throw this.#error;
  }

  /** Whether the cluster does not answer. A notice says so. */
  get isQuiet(): boolean {
    return this.#quiet.isQuiet;
  }

  [Symbol.dispose](): void {
    this.#quiet.answered();
    this.#scope[Symbol.dispose]();
  }
}
