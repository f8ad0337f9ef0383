import { writeSync } from "node:fs";
import { printableLines } from "../core/printable.ts";
import { atPath } from "../core/system-error.ts";

/** For people. Node's streams cost start-up time, and leave a pipe non-blocking for the program. */
export function tell(text: string): void {
  write(2, printableLines(text));
}

/** For progress, which has commands to the terminal in it. */
export function draw(text: string): void {
  write(2, text);
}

export function print(text: string): void {
  write(1, printableLines(text));
}

function write(descriptor: number, text: string): void {
  let rest = Buffer.from(text);
  while (rest.length > 0) {
    try {
      rest = rest.subarray(writeSync(descriptor, rest));
    } catch (error) {
      const { code } = error as NodeJS.ErrnoException;
      // Another process made the pipe non-blocking, and its reader is slow.
      if (code === "EAGAIN") Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 5);
      // Lost messages on stderr do not matter. Lost output on stdout does.
      else if (descriptor === 2) return;
      // The reader has exited, as `head` does. 141 is the status of a program that SIGPIPE killed.
      else if (code === "EPIPE") process.exit(141);
      else throw atPath(error, "standard output");
    }
  }
}
