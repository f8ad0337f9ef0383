// Part of the library, so it imports types only.
import type { EngineKind } from "../config/engine-kind.ts";

/** A library's request to the engine helper or the command line, as JSON on its standard input. */
export interface JobRequest {
  readonly action: "resolve" | "run";
  readonly name: string;
  /** Absolute. For relative paths and the lock. */
  readonly folder: string;
  readonly engine?: EngineKind | undefined;
  readonly document: string;
}

/** The answer, as JSON on standard output. An error is `error`, a `WireError`. */
export type JobAnswer =
  | { readonly result: unknown }
  | { readonly failed: { readonly id: string; readonly message: string; readonly status: number } };
