import type { Writable } from "node:stream";
import { writeTo } from "../core/flow.ts";
import { countInterval } from "../core/heartbeat.ts";
import { printable } from "../core/printable.ts";

/** A stream that may be a terminal. */
type Output = Writable & { readonly isTTY?: boolean; readonly columns?: number };

/** A progress line on a terminal, below the output of the functions. Elsewhere it prints a line every 10 s. */
export class MapProgress {
  readonly #name: string;
  readonly #count: number;
  readonly #output: Output;
  #done = 0;
  #failed = 0;
  #isShown = false;
  readonly #timer: NodeJS.Timeout | undefined;

  constructor(name: string, count: number, output: Output) {
    this.#name = name;
    this.#count = count;
    this.#output = output;
    const line = () => void writeTo(output, `${this.#line()}\n`);
    this.#timer = output.isTTY ? undefined : setInterval(line, countInterval).unref();
    this.#show();
  }

  settled(isFine: boolean): void {
    this.#done += 1;
    if (!isFine) this.#failed += 1;
    this.#show();
  }

  /** Prints whole lines of functions above the progress line. */
  print(data: Buffer): void | Promise<void> {
    this.#clear();
    const pending = writeTo(this.#output, data);
    this.#show();
    return pending;
  }

  finish(): void {
    clearInterval(this.#timer);
    this.#clear();
  }

  #line(): string {
    const failed = this.#failed > 0 ? `, ${this.#failed} failed` : "";
    return `slipway: ${printable(this.#name)}: ${this.#done} of ${this.#count}${failed}`;
  }

  #show(): void {
    if (!this.#output.isTTY) return;
    this.#output.write(`\r\x1b[K${this.#line().slice(0, (this.#output.columns ?? 80) - 1)}`);
    this.#isShown = true;
  }

  #clear(): void {
    if (this.#isShown) this.#output.write("\r\x1b[K");
    this.#isShown = false;
  }
}
