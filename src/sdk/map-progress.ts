import type { Writable } from "node:stream";
import { writeTo } from "../engine/flow.ts";

/** A stream that may be a terminal. */
type Output = Writable & { readonly isTTY?: boolean; readonly columns?: number };

/** A progress line on a terminal, below the output of the functions. Prints nothing if the output is not a terminal. */
export class MapProgress {
  readonly #name: string;
  readonly #count: number;
  readonly #output: Output;
  #done = 0;
  #failed = 0;
  #isShown = false;
  #isAtStart = true;

  constructor(name: string, count: number, output: Output) {
    this.#name = name;
    this.#count = count;
    this.#output = output;
    this.#show();
  }

  /** Counts one more call that has ended. */
  settled(isFine: boolean): void {
    this.#done += 1;
    if (!isFine) this.#failed += 1;
    this.#show();
  }

  /** Prints a function's output above the progress line. */
  print(data: Buffer): void | Promise<void> {
    this.#clear();
    const pending = writeTo(this.#output, data);
    this.#isAtStart = data.at(-1) === 0x0a;
    this.#show();
    return pending;
  }

  /** Removes the line. */
  finish(): void {
    this.#clear();
  }

  #show(): void {
    // The output is in the middle of a line.
    if (!this.#output.isTTY || !this.#isAtStart) return;
    const failed = this.#failed > 0 ? `, ${this.#failed} failed` : "";
    const line = `slipway: ${this.#name}: ${this.#done} of ${this.#count}${failed}`;
    this.#output.write(`\r\x1b[K${line.slice(0, (this.#output.columns ?? 80) - 1)}`);
    this.#isShown = true;
  }

  #clear(): void {
    if (this.#isShown) this.#output.write("\r\x1b[K");
    this.#isShown = false;
  }
}
