import type { Descriptor } from "../oci/descriptor.ts";

export type BlobId = Pick<Descriptor, "digest" | "size">;

/** One way to talk to a cache. Each call is one attempt. */
export interface BlobStore {
  /**
   * A blob's bytes from `start` on, at least up to, not including, `end`.
   *
   * @throws CacheFault, here or while they are read
   */
  read(blob: BlobId, start: number, end: number, signal: AbortSignal): AsyncIterable<Uint8Array>;
  /** Those of the blobs that it lacks. @throws CacheFault */
  missing(blobs: readonly BlobId[], signal: AbortSignal): Promise<readonly BlobId[]>;
  close(): void;
}
