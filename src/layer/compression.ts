import { promisify } from "node:util";
import zlib from "node:zlib";
import { mediaTypes } from "../oci/media-types.ts";

/** How the blob of a layer is stored. */
export type Compression = "gzip" | "zstd" | "none";

/** The media type of a layer stored that way: OCI image specification, "Image Layer Filesystem Changeset". */
export const layerMediaTypes: Readonly<Record<Compression, string>> = {
  gzip: mediaTypes.layerGzip,
  zstd: mediaTypes.layerZstd,
  none: mediaTypes.layer,
};

/** Compresses one segment of a layer, on another thread, to a member (gzip) or frame (zstd) that stands by itself. */
export type Compressor = (segment: Uint8Array) => Promise<Uint8Array>;

/**
 * The compressor of a kind, undefined for none. Members and frames in a row are a valid stream of their format (RFC 1952 section 2.2, RFC 8878 section 3), so
 * a layer is its segments compressed one by one, and segments may be compressed on several cores, or not again at all.
 *
 * The bytes depend on the segment alone. Neither zlib nor zstd in Node 24 chooses another result on another processor: Chromium's zlib
 * hashes strings in plain C since 2022 (before, it used the processor's CRC instruction where there was one), and its hash table has
 * the same size with and without SIMD at the default memory level; zstd selects its match finder by level and size alone. Checked with
 * Node 24.21 and 24.22 on x86-64 without SSE 4.2, with AVX2 and with AVX-512, and on arm64. Another major version of Node may compress
 * differently, which is why the tools run on the Node that is pinned, never on the one found on PATH.
 */
export function compressor(kind: Compression): Compressor | undefined {
  switch (kind) {
    case "none":
      return undefined;
    case "zstd": {
      const params = { [zlib.constants.ZSTD_c_compressionLevel]: 3 };
      return (segment) => zstd(segment, { params, chunkSize: outputSize(segment) });
    }
    case "gzip":
      return async (segment) => {
        const member = await gzip(segment, { level: 6, chunkSize: outputSize(segment) });
        // zlib writes no name and no time, but the system it was compiled for. 255 is "unknown".
        member[9] = 255;
        return member;
      };
  }
}

const gzip = promisify<Uint8Array, zlib.ZlibOptions, Buffer>(zlib.gzip);
const zstd = promisify<Uint8Array, zlib.ZstdOptions, Buffer>(zlib.zstdCompress);

/** Room for what cannot be compressed, so that one segment is one call on one thread. */
function outputSize(segment: Uint8Array): number {
  return segment.length + (segment.length >> 8) + 1024;
}
