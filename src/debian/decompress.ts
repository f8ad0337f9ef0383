import { Readable } from "node:stream";
import { createGunzip, createZstdDecompress } from "node:zlib";
import * as xz from "xz-decompress";
import { Failure } from "../core/errors.ts";
import { ReadLimit, readWhole } from "../core/read-whole.ts";

// A CommonJS package: Node has its exports as the default one, a bundle by their names.
const { XzReadableStream } = "default" in xz ? (xz.default as typeof xz) : xz;

/**
 * By the suffix of `name`. xz is WebAssembly, 40 MB/s per core: 3/4 of a native addon's speed.
 *
 * @throws Failure for `.lzma` and `.bz2`, which nobody writes since Debian 8
 */
export function decompressed(name: string, open: () => Readable): AsyncIterable<Uint8Array> {
  if (name.endsWith(".xz")) return unxz(name, open());
  if (name.endsWith(".zst")) return piped(open(), createZstdDecompress());
  if (name.endsWith(".gz")) return piped(open(), createGunzip());
  if (/\.(lzma|bz2)$/.test(name)) {
    throw new Failure(
      { code: "file-invalid", culprit: name },
      `Slipway does not support the compression of ${name}.`,
      "Use a package compressed with xz, zstd or gzip.",
    );
  }
  return open();
}

/** The WebAssembly has a limit of 64 MiB for the dictionary, which `xz -9` needs, and numbers for errors. */
async function* unxz(name: string, source: Readable): AsyncGenerator<Uint8Array> {
  let sourceError: Error | undefined;
  source.once("error", (error) => {
    sourceError = error;
  });
  try {
    yield* new XzReadableStream(Readable.toWeb(source) as ReadableStream<Uint8Array>);
  } catch (cause) {
    if (sourceError) throw sourceError;
    const needsMore = /error code 4$/.test((cause as Error).message);
    throw new Failure(
      { code: "file-invalid", culprit: name },
      `${name} ${needsMore ? "needs more than 64 MiB of memory to be unpacked" : "is damaged: xz cannot unpack it"}.`,
      "Use another mirror or package.",
      { cause },
    );
  }
}

/** A pipe does not forward errors of its source. */
function piped(source: Readable, transform: NodeJS.ReadWriteStream & Readable): Readable {
  source.on("error", (error) => transform.destroy(error));
  return source.pipe(transform);
}

/** In memory, for small members. */
export async function decompressAll(name: string, open: () => Readable, most: number): Promise<Buffer> {
  return readWhole(decompressed(name, open), most).catch((cause: Error) => {
    throw cause instanceof ReadLimit ? tooLarge(name, most, cause) : cause;
  });
}

export function tooLarge(name: string, most: number, cause?: Error): Failure {
  return new Failure(
    { code: "file-invalid", culprit: name },
    `${name} has more than ${most} bytes when it is unpacked.`,
    "Use another mirror or package: no real one is so large.",
    { cause },
  );
}
