import type { SegmentCache } from "../layer/segment-cache.ts";

export interface Context {
  /** Base of relative paths in arguments. Empty: the working directory. A multiplexed worker has one sandbox per request. */
  readonly folder: string;
  /** Compressed segments of earlier layers. Default: none. */
  readonly cache?: SegmentCache;
  /** Aborted when the result is no longer needed. */
  readonly signal: AbortSignal;
}
