import type { Descriptor } from "../oci/descriptor.ts";

export type BlobId = Pick<Descriptor, "digest" | "size">;

/** Each call is one attempt. */
export interface BlobStore {
  /** At least from `start` up to, not including, `end`. @throws CacheFault, here or while they are read */
  read(blob: BlobId, start: number, end: number, signal: AbortSignal): AsyncIterable<Uint8Array>;
  /** Those that it lacks. @throws CacheFault */
  missing(blobs: readonly BlobId[], signal: AbortSignal): Promise<readonly BlobId[]>;
  close(): void;
}
