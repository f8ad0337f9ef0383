/** A stream that exceeds its limits. The message follows the name of what is read. */
export class ReadLimit extends Error {
  override readonly name = "ReadLimit";
}

export type ByteSource = AsyncIterable<Uint8Array | string> & { destroy?(error?: Error): unknown };

/** Bytes that have to come in the time of {@link ReadLimits.time} where a stream may be long. */
export const leastPace = 64 * 1024;

interface ReadLimits {
  readonly bytes: number;
  /** Milliseconds for the whole stream, or for each `pace` bytes of it. Default: no limit. */
  readonly time?: number;
  /** Default: all of it. */
  readonly pace?: number;
}

/** Passes on a stream, and destroys it if it exceeds a limit. @throws ReadLimit, or the stream's error */
export async function* limited(stream: ByteSource, limits: ReadLimits): AsyncGenerator<Buffer> {
  const { bytes, time, pace = Number.POSITIVE_INFINITY } = limits;
  const what = pace < Number.POSITIVE_INFINITY ? `sent less than ${pace} bytes in` : "did not end within";
  const late = () => stream.destroy?.(new ReadLimit(`${what} ${(time ?? 0) / 1000} s`));
  const timer = time === undefined ? undefined : setTimeout(late, time);
  let size = 0;
  let heard = 0;
  try {
    for await (const piece of stream) {
      const chunk = typeof piece === "string" ? Buffer.from(piece) : asBuffer(piece);
      size += chunk.length;
      if (size > bytes) throw new ReadLimit(`has more than ${bytes} bytes`);
      heard += chunk.length;
      if (heard >= pace) {
        heard = 0;
        timer?.refresh();
      }
      yield chunk;
    }
  } finally {
    clearTimeout(timer);
  }
}

/** Reads a stream of at most `most` bytes. `within` and `pace` are as in {@link ReadLimits}. @throws ReadLimit */
export async function readWhole(stream: ByteSource, most: number, within?: number, pace?: number): Promise<Buffer> {
  const chunks: Buffer[] = [];
  const limits = { bytes: most, ...(within === undefined ? {} : { time: within }), ...(pace && { pace }) };
  for await (const chunk of limited(stream, limits)) chunks.push(chunk);
  return Buffer.concat(chunks);
}

function asBuffer(bytes: Uint8Array): Buffer {
  return Buffer.isBuffer(bytes) ? bytes : Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length);
}
