import type { Readable } from "node:stream";

/** A stream that does not end within its limits. The message follows the name of what is read. */
export class ReadLimit extends Error {
  override readonly name = "ReadLimit";
}

/**
 * Reads a stream into memory. Destroys it if it exceeds a limit.
 *
 * @param most bytes
 * @param within milliseconds
 * @throws ReadLimit, or the stream's error
 */
export async function readWhole(stream: Readable, most: number, within: number): Promise<Buffer> {
  const late = () => stream.destroy(new ReadLimit(`did not end within ${within / 1000} s`));
  const timer = setTimeout(late, within);
  const chunks: Buffer[] = [];
  let size = 0;
  try {
    for await (const chunk of stream) {
      size += (chunk as Buffer).length;
      if (size > most) throw new ReadLimit(`has more than ${most} bytes`);
      chunks.push(chunk as Buffer);
    }
    return Buffer.concat(chunks);
  } finally {
    clearTimeout(timer);
  }
}
