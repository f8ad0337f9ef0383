import type { Readable } from "node:stream";

/** Splits only at line feeds, unlike Node's readline: JSON may contain other line separators. */
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
