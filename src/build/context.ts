import { join } from "node:path";
import type { SegmentCache } from "../layer/segment-cache.ts";

/** Where and until when a command works. */
export interface Context {
  /** What paths in arguments are relative to; empty for the working directory. A multiplexed worker has a sandbox per request. */
  readonly folder: string;
  /** What a worker keeps from one request to the next. One shot: nothing. */
  readonly cache?: SegmentCache;
  /** Aborted when nobody waits for the result any more. */
  readonly signal: AbortSignal;
}

/** A path from the arguments, as this process must open it. */
export function pathIn(context: Context, path: string): string {
  return context.folder === "" ? path : join(context.folder, path);
}
