import type { SegmentCache } from "../layer/segment-cache.ts";

export interface Context {
  /** Base of relative paths. Empty: the working directory. A multiplexed worker has one sandbox per request. */
  readonly folder: string;
  readonly cache?: SegmentCache;
  readonly signal: AbortSignal;
}
