import type { Readable } from "node:stream";

/**
 * Calls back with every line of a stream, and not with one that breaks off at its end. Unlike Node's readline it divides at line feeds alone: in
 * JSON there may be other characters that end lines of Unicode.
 */
export function onLines(stream: Readable, listener: (line: string) => void): void {
  let pieces: Buffer[] = [];
  stream.on("data", (chunk: Buffer) => {
    for (let at = 0; ; ) {
      const end = chunk.indexOf("\n", at);
      pieces.push(chunk.subarray(at, end < 0 ? chunk.length : end));
      if (end < 0) return;
      const line = Buffer.concat(pieces).toString();
      pieces = [];
      at = end + 1;
      listener(line);
    }
  });
}
