import { Readable } from "node:stream";
import { constants, createGunzip, createZstdDecompress } from "node:zlib";
import { ByteReader } from "./byte-reader.ts";
import { zstdFrames } from "./zstd-frames.ts";

/** zstd may want up to 2 GiB to look back. No image tool needs more than 8 MiB, and RFC 8878 asks for no more. */
const params = { [constants.ZSTD_d_windowLogMax]: 25 };
const usualWindow = 8 * 1024 * 1024;

/** Settles when no larger window lies in memory: layers that have one are read one after the other. */
let largeWindow = Promise.resolve();

/** By the first bytes, since media types are sometimes wrong. @throws zlib's error or RangeError */
export async function* decompressLayer(blob: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array> {
  await using reader = new ByteReader(blob);
  const start = await reader.upTo(4);
  reader.unread(start);
  const magic = start.toString("hex");
  if (magic.startsWith("1f8b")) yield* through(reader.pass(Number.POSITIVE_INFINITY), createGunzip());
  else if (magic === "28b52ffd" || /^5.2a4d18$/.test(magic)) {
    for await (const { window, bytes } of zstdFrames(reader)) {
      const before = largeWindow;
      const { promise, resolve } = Promise.withResolvers<void>();
      if (window > usualWindow) largeWindow = promise;
      try {
        if (window > usualWindow) await before;
        yield* through(bytes, createZstdDecompress({ params }));
      } finally {
        resolve();
      }
    }
  } else yield* reader.pass(Number.POSITIVE_INFINITY);
}

async function* through(
  source: AsyncIterable<Uint8Array>,
  transform: NodeJS.ReadWriteStream & Readable,
): AsyncGenerator<Uint8Array> {
  const input = Readable.from(source, { objectMode: false });
  // A pipe does not forward errors of its source.
  input.on("error", (error) => transform.destroy(error));
  try {
    yield* input.pipe(transform) as AsyncIterable<Uint8Array>;
  } finally {
    input.destroy();
  }
}
