import { createReadStream, statSync } from "node:fs";
import { join } from "node:path";
import { splitDigest } from "../oci/digest.ts";
import { CacheFault } from "./fault.ts";
import type { BlobId, BlobStore } from "./store.ts";

/** Bazel's `--disk_cache`: `cas/HE/HEX`. */
export function diskStore(folder: string): BlobStore {
  const pathOf = ({ digest }: BlobId) => {
    const { hex } = splitDigest(digest);
    return join(folder, "cas", hex.slice(0, 2), hex);
  };
  const has = (blob: BlobId) => statSync(pathOf(blob), { throwIfNoEntry: false })?.size === blob.size;
  return {
    async *read(blob, start, end, signal) {
      if (!has(blob)) throw new CacheFault("missing", "has no such file of this size");
      try {
        yield* createReadStream(pathOf(blob), { start, end: end - 1, highWaterMark: 256 * 1024, signal });
      } catch (cause) {
        throw new CacheFault("permanent", `cannot be read: ${(cause as Error).message}`, { cause });
      }
    },
    missing: async (blobs) => blobs.filter((blob) => !has(blob)),
    close: () => {},
  };
}
