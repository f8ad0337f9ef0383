import { writeSync } from "node:fs";

/**
 * Writes text for people to stderr. Straight to the descriptor: opening Node's streams costs start-up time, and on a pipe leaves
 * it non-blocking for the program that the launcher becomes.
 */
export function tell(text: string): void {
  write(2, text);
}

/** Writes what programs read to stdout. */
export function print(text: string): void {
  write(1, text);
}

function write(descriptor: number, text: string): void {
  let rest = Buffer.from(text);
  while (rest.length > 0) {
    try {
      rest = rest.subarray(writeSync(descriptor, rest));
    } catch (error) {
      const { code } = error as NodeJS.ErrnoException;
      // Somebody else made the pipe non-blocking; its reader is slow.
      if (code === "EAGAIN") Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 5);
      // Nobody reads what people were to be told; what programs read is another matter.
      else if (descriptor === 2) return;
      else throw error;
    }
  }
}
