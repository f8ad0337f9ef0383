import { constants } from "node:buffer";
import type { Readable } from "node:stream";
import { ReadLimit } from "./read-whole.ts";

/**
 * Splits only at line feeds, unlike Node's readline: JSON may contain other line separators.
 *
 * @param most bytes of a line. A longer one destroys the stream with a ReadLimit. Default: what a text can have
 */
export function onLines(stream: Readable, listener: (line: string) => void, most = constants.MAX_STRING_LENGTH): void {
  let pieces: Buffer[] = [];
  let size = 0;
  stream.on("data", (chunk: Buffer) => {
    for (let at = 0; ; ) {
      const end = chunk.indexOf("\n", at);
      const piece = chunk.subarray(at, end < 0 ? chunk.length : end);
      size += piece.length;
      if (size > most) return void stream.destroy(new ReadLimit(`has a line of more than ${most} bytes`));
      pieces.push(piece);
      if (end < 0) return;
      const line = Buffer.concat(pieces).toString();
      pieces = [];
      size = 0;
      at = end + 1;
      listener(line);
    }
  });
}
