import type { Sink } from "../core/flow.ts";

/** Holds back lines that look like the client's own: if it fails, they become part of the error. */
export class LastWords {
  readonly #output: Sink;
  #held: Buffer = Buffer.alloc(0);

  constructor(output: Sink) {
    this.#output = output;
  }

  write(chunk: Buffer): void | Promise<void> {
    const data = Buffer.concat([this.#held, chunk]);
    const start = startOfLastWords(data);
    this.#held = data.subarray(start);
    return start > 0 ? this.#output(data.subarray(0, start)) : undefined;
  }

  take(): string {
    const words = this.#held.toString().trim();
    this.#held = Buffer.alloc(0);
    return words;
  }

  flush(): void {
    if (this.#held.length > 0) this.#output(this.#held);
    this.#held = Buffer.alloc(0);
  }
}

/** More than this is no client's last words. */
const maximum = 16 * 1024;
const first = /^(Error: |docker: |unknown (shorthand )?flag: |invalid argument "|time="[^"]*" level=(error|fatal) )/;
const further = /^(Error: |docker: |time="|Usage: |See '|Run '|\s*$)/;

/** The start of the block of such lines at the end of `data`; the length of `data` if there is none. */
function startOfLastWords(data: Buffer): number {
  const text = data.subarray(-maximum).toString("latin1");
  const lines = text.split(/(?<=\n)/);
  let start: number | undefined;
  let position = text.length;
  for (const line of lines.reverse()) {
    position -= line.length;
    if (first.test(line)) start = position;
    else if (!further.test(line)) break;
  }
  return start === undefined ? data.length : data.length - text.length + start;
}
