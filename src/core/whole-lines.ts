import { printable } from "./printable.ts";

/** Bytes of a line that are held back until its end comes. */
const longestLine = 64 * 1024;

/** Colours of terminals that are told apart on light and dark ones. */
const palette = [36, 33, 32, 35, 34, 31];

/** Stands before the lines of one of several programs: `[NAME] `. `color` is any number. */
export function prefixOf(name: string, color?: number): string {
  const shown = `[${printable(name)}]`;
  return color === undefined ? `${shown} ` : `\u001b[${palette[color % palette.length]}m${shown}\u001b[0m `;
}

/** Passes on whole lines alone, each after a prefix, so that those of several programs do not mix. */
export class WholeLines {
  readonly #prefix: () => string;
  readonly #write: (lines: Buffer) => void | Promise<void>;
  #rest: Buffer = Buffer.alloc(0);

  constructor(prefix: () => string, write: (lines: Buffer) => void | Promise<void>) {
    this.#prefix = prefix;
    this.#write = write;
  }

  async write(piece: Buffer): Promise<void> {
    const text = Buffer.concat([this.#rest, piece]);
    const end = text.lastIndexOf("\n") + 1;
    const isLong = text.length - end > longestLine;
    this.#rest = isLong ? Buffer.alloc(0) : text.subarray(end);
    await this.#put(isLong ? text : text.subarray(0, end));
  }

  async end(): Promise<void> {
    await this.#put(this.#rest);
    this.#rest = Buffer.alloc(0);
  }

  async #put(text: Buffer): Promise<void> {
    if (text.length === 0) return;
    const prefix = this.#prefix();
    // One character for each byte, so that whatever they are comes out as it is.
    const lines = text.toString("latin1").replace(/\n$/, "").split("\n");
    await this.#write(Buffer.from(lines.map((line) => `${prefix}${line}\n`).join(""), "latin1"));
  }
}
