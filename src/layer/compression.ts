import { promisify } from "node:util";
import zlib from "node:zlib";
import { mediaTypes } from "../oci/media-types.ts";
import { probeGain } from "./probe.ts";

/** The compression of a layer's blob. */
export type Compression = "gzip" | "zstd" | "none";

/** The media type of a layer with this compression: OCI image specification, "Image Layer Filesystem Changeset". */
export const layerMediaTypes: Readonly<Record<Compression, string>> = {
  gzip: mediaTypes.layerGzip,
  zstd: mediaTypes.layerZstd,
  none: mediaTypes.layer,
};

/** Compresses one segment of a layer on another thread, to a complete member (gzip) or frame (zstd), and back. */
export interface Codec {
  /** Tells apart all codecs that give different bytes for the same segment. */
  readonly name: string;
  /** Whether the segment is stored, since compression would gain too little: {@link probeGain}. */
  readonly stores: (segment: Uint8Array) => Promise<boolean>;
  /** @param isStored the answer of {@link Codec.stores} */
  readonly compress: (segment: Uint8Array, isStored: boolean) => Promise<Uint8Array>;
  /** @throws zlib's error for damaged bytes, and for more than `size` */
  readonly decompress: (bytes: Uint8Array, size: number) => Promise<Uint8Array>;
}

/**
 * The codec of a kind. Undefined: no compression. Concatenated members or frames are a valid stream (RFC 1952 section 2.2, RFC 8878 section
 * 3), so segments can be compressed in parallel, and unchanged ones can be reused. Segments that {@link probeGain} finds not worth it are
 * stored: a MiB of random bytes takes gzip 30 ms, and 1 ms to store. zstd is so fast that a smaller gain is worth it.
 *
 * The bytes depend only on the segment. zlib and zstd in Node 24 give the same result on every processor: Chromium's zlib hashes strings in plain
 * C since 2022, and its hash table has the same size with and without SIMD at the default memory level; zstd selects its match finder only by
 * level and size. Checked with Node 24.21 and 24.22 on x86-64 without SSE 4.2, with AVX2 and with AVX-512, and on arm64. Another major version
 * of Node may compress differently, so the tools always run on the pinned Node.
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
          // The lowest level only stores, in raw blocks.
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

/** Increased by every change of this module or of the probe that changes compressed bytes. */
const revision = 2;

function codecName(kind: Compression, library: string | undefined): string {
  return `${kind} ${library} ${process.version} ${revision}`;
}

const lowestZstdLevel = -131_072;

const gzip = promisify<Uint8Array, zlib.ZlibOptions, Buffer>(zlib.gzip);
const gunzip = promisify<Uint8Array, zlib.ZlibOptions, Buffer>(zlib.gunzip);
const zstd = promisify<Uint8Array, zlib.ZstdOptions, Buffer>(zlib.zstdCompress);
const unzstd = promisify<Uint8Array, zlib.ZstdOptions, Buffer>(zlib.zstdDecompress);

/** Buffer size for incompressible data, so that one call is enough for a segment. */
function outputSize(segment: Uint8Array): number {
  return segment.length + (segment.length >> 8) + 1024;
}

function bounds(size: number) {
  return { chunkSize: Math.max(size, 64), maxOutputLength: Math.max(size, 1) };
}
