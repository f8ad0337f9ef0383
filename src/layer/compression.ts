import { promisify } from "node:util";
import zlib from "node:zlib";
import { mediaTypes } from "../oci/media-types.ts";
import { probeGain } from "./probe.ts";

export type Compression = "gzip" | "zstd" | "none";

/** OCI image specification, "Image Layer Filesystem Changeset". */
export const layerMediaTypes: Readonly<Record<Compression, string>> = {
  gzip: mediaTypes.layerGzip,
  zstd: mediaTypes.layerZstd,
  none: mediaTypes.layer,
};

/** Compresses a segment on another thread, to a complete member (gzip) or frame (zstd), and back. */
export interface Codec {
  /** Different for codecs that give different bytes. */
  readonly name: string;
  /** Whether compression would gain too little: {@link probeGain}. */
  readonly stores: (segment: Uint8Array) => Promise<boolean>;
  readonly compress: (segment: Uint8Array, isStored: boolean) => Promise<Uint8Array>;
  /** @throws zlib's error for damaged bytes, and for more than `size` */
  readonly decompress: (bytes: Uint8Array, size: number) => Promise<Uint8Array>;
}

/**
 * Undefined: no compression. Concatenated members or frames are a valid stream (RFC 1952 section 2.2, RFC 8878 section
 * 3), so segments are compressed in parallel, and unchanged ones reused. Segments not worth it by {@link probeGain} are
 * stored: a MiB of random bytes takes gzip 30 ms, and 1 ms to store. zstd is so fast that a smaller gain is worth it.
 *
 * The bytes depend only on the segment: in Node 24, zlib and zstd give the same result on every processor (checked with
 * 24.21 and 24.22 on x86-64 without SSE 4.2, with AVX2 and AVX-512, and on arm64). Another major version may differ, so
 * the tools run on the pinned Node.
 */
export function codecOf(kind: Compression): Codec | undefined {
  switch (kind) {
    case "none":
      return undefined;
    case "zstd":
      return {
        name: codecName(kind, process.versions["zstd"]),
        stores: async (segment) => (await probeGain(segment)) < 1 / 32,
        compress: (segment, isStored) => {
          const params = { [zlib.constants.ZSTD_c_compressionLevel]: isStored ? lowestZstdLevel : 3 };
          return zstd(segment, { params, chunkSize: outputSize(segment) });
        },
        decompress: (bytes, size) => unzstd(bytes, bounds(size)),
      };
    case "gzip":
      return {
        name: codecName(kind, process.versions["zlib"]),
        stores: async (segment) => (await probeGain(segment)) < 1 / 8,
        compress: async (segment, isStored) => {
          const member = await gzip(segment, { level: isStored ? 0 : 2, chunkSize: outputSize(segment) });
          // zlib writes the operating system that it was compiled for. 255 is "unknown".
          member[9] = 255;
          return member;
        },
        decompress: (bytes, size) => gunzip(bytes, bounds(size)),
      };
  }
}

/** Increase it with every change of this module or the probe that changes compressed bytes. */
const revision = 2;

function codecName(kind: Compression, library: string | undefined): string {
  return `${kind} ${library} ${process.version} ${revision}`;
}

const lowestZstdLevel = -131_072;

const gzip = promisify<Uint8Array, zlib.ZlibOptions, Buffer>(zlib.gzip);
const gunzip = promisify<Uint8Array, zlib.ZlibOptions, Buffer>(zlib.gunzip);
const zstd = promisify<Uint8Array, zlib.ZstdOptions, Buffer>(zlib.zstdCompress);
const unzstd = promisify<Uint8Array, zlib.ZstdOptions, Buffer>(zlib.zstdDecompress);

/** For incompressible data, so that one call is enough. */
function outputSize(segment: Uint8Array): number {
  return segment.length + (segment.length >> 8) + 1024;
}

function bounds(size: number) {
  return { chunkSize: Math.max(size, 64), maxOutputLength: Math.max(size, 1) };
}
