// Frames between a program and its helper, in the form of docs/worker-protocol.md. Headers are small; the rest is in
// bodies. Keep python/slipway/_helper.py the same.

import type { EngineDescription } from "../config/engine-kind.ts";
import type { Network } from "../config/limits.ts";
import type { PlacedResources } from "../config/resources.ts";
import type { Volumes } from "../config/volumes.ts";
import type { WireError } from "../core/wire-error.ts";

/** The first frame's body, as JSON. The helper answers `ready` or `declined`. */
export interface Program {
  readonly env: Readonly<Record<string, string>>;
  /** Starts the program again, without its own arguments: for workers that are processes. */
  readonly command: readonly string[];
  readonly directory: string;
  readonly process: number;
  /** Number of its arguments, for the record of the run. */
  readonly arguments: number;
  /** Its path, for the record where there is no SLIPWAY_TARGET. */
  readonly path: string;
  /** Of its standard error; null if that is no terminal. */
  readonly columns: number | null;
}

/** Body of `ready`, as JSON. */
export interface Ready {
  readonly engine: EngineDescription;
  /** Printed once, by the program. */
  readonly remark?: string;
  /** Folder for the content of files. Undefined: this user can have none. */
  readonly files?: string;
}

/** Body of `start`, as JSON: calls of one function. */
export interface CallsStart {
  /** The step: the function's name; with a number, from the second on. */
  readonly id: string;
  readonly name: string;
  /** Steps whose results it takes. */
  readonly after: readonly string[];
  /** How many there are. Null: not known yet. */
  readonly items: number | null;
  /** False: a single call, whose output has no prefix. */
  readonly isMap: boolean;
  /** `HOST/REPOSITORY@sha256:…`. Undefined for processes. */
  readonly image?: string;
  readonly programArguments: readonly string[];
  readonly env: Readonly<Record<string, string>>;
  readonly network: Network;
  /** May have an `instance_type`; `subject` of its error is the function's name. */
  readonly resources: PlacedResources & { readonly instance_type?: string };
  /** Folders are absolute. */
  readonly volumes?: Volumes;
  readonly parallelism?: number;
  readonly retries?: number;
  /** Seconds. */
  readonly timeLimit?: number;
  readonly keep?: { readonly version?: string };
  /** A worker of its own for each call. */
  readonly fresh?: boolean;
  /** A worker ends after so many calls. */
  readonly maxCalls?: number;
  /** Calls that a worker runs at once. Default: 1. */
  readonly concurrency?: number;
  /** Items that a worker takes at once, and seconds that it waits for them. */
  readonly batch?: { readonly size: number; readonly wait: number };
  /** Seconds that workers wait for the next run of the program. */
  readonly keepWarm?: number;
}

/** Headers of frames from the program. `batch` counts `start` frames, from 1. */
export type ProgramFrame =
  | { readonly type: "program"; readonly version: 1 }
  | { readonly type: "start"; readonly batch: number }
  /** Bodies: a value, the list of arguments. At most {@link window} of a batch are without an answer. */
  | { readonly type: "item"; readonly batch: number; readonly index: number }
  /** There are no more items. */
  | { readonly type: "close"; readonly batch: number }
  /** Nobody wants the results. `done` follows when its calls have ended. */
  | { readonly type: "cancel"; readonly batch: number }
  /** Stores kept results now. The answer is `settled`. */
  | { readonly type: "settle" }
  /** Brings the content of a file of a result to the folder of {@link Ready}. The answer is `fetched`. */
  | { readonly type: "fetch"; readonly digest: string; readonly size: number }
  /** The last frame: the program ends with this status. */
  | { readonly type: "exit"; readonly status: number };

export type HelperFrame =
  | { readonly type: "ready" }
  /** The helper was started with another environment. */
  | { readonly type: "declined" }
  /** Bodies: a value. None: the function returned nothing. */
  | { readonly type: "result"; readonly batch: number; readonly index: number }
  /** Body: a {@link CallError} as JSON. */
  | { readonly type: "error"; readonly batch: number; readonly index: number }
  /** Body: bytes for the program's standard error. */
  | { readonly type: "output" }
  /** All items of a closed batch have an answer. */
  | { readonly type: "done"; readonly batch: number }
  /** The engine failed, and the batch is over. Body: a {@link WireError} as JSON. Without `batch`: the connection. */
  | { readonly type: "failed"; readonly batch?: number }
  | { readonly type: "settled" }
  /** Body, if it failed: a {@link WireError} as JSON. */
  | { readonly type: "fetched"; readonly digest: string };

export interface CallError extends WireError {
  /** Thrown by the function: where it ran, such as `a container of IMAGE`. Undefined: an error about the call. */
  readonly where?: string;
  /** For an exception that comes from the limits of containers. */
  readonly remedy?: string;
}

/** Items of a batch that may be without an answer. */
export function window({
  parallelism = 50,
  concurrency = 1,
  batch,
}: {
  readonly parallelism?: number | undefined;
  readonly concurrency?: number | undefined;
  readonly batch?: { readonly size: number } | undefined;
}): number {
  return Math.max(1000, 4 * parallelism * Math.max(concurrency, batch?.size ?? 1));
}
