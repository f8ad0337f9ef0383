import { countInterval } from "../core/heartbeat.ts";
import { printable } from "../core/printable.ts";

/** A progress line on a terminal, below the output of the functions. Elsewhere it prints a line every 10 s. */
export class MapProgress {
  readonly #name: string;
  readonly #count: number | null;
  readonly #columns: number | null;
  readonly #write: (data: Buffer) => void;
  #done = 0;
  #failed = 0;
  #isShown = false;
  readonly #timer: NodeJS.Timeout;

  /**
   * @param count null: not known
   * @param columns of the terminal; null: there is none
   */
  constructor(name: string, count: number | null, columns: number | null, write: (data: Buffer) => void) {
    this.#name = name;
    this.#count = count;
    this.#columns = columns;
    this.#write = write;
    const isTerminal = columns !== null;
    const tell = () => (isTerminal ? this.print(Buffer.alloc(0)) : write(Buffer.from(`${this.#line()}\n`)));
    // A terminal is told of many calls together.
    this.#timer = setInterval(tell, isTerminal ? 100 : countInterval).unref();
    if (isTerminal) tell();
  }

  settled(isFine: boolean): void {
    this.#done += 1;
    if (!isFine) this.#failed += 1;
  }

  /** Prints whole lines of functions above the progress line. */
  print(data: Buffer): void {
    if (this.#columns === null) {
      this.#write(data);
      return;
    }
    const line = this.#line().slice(0, this.#columns - 1);
    this.#write(Buffer.concat([Buffer.from(this.#isShown ? "\r\x1b[K" : ""), data, Buffer.from(line)]));
    this.#isShown = true;
  }

  finish(): void {
    clearInterval(this.#timer);
    if (this.#isShown) this.#write(Buffer.from("\r\x1b[K"));
    this.#isShown = false;
  }

  #line(): string {
    const failed = this.#failed > 0 ? `, ${this.#failed} failed` : "";
    const count = this.#count === null ? `${this.#done} done` : `${this.#done} of ${this.#count}`;
    return `slipway: ${printable(this.#name)}: ${count}${failed}`;
  }
}
