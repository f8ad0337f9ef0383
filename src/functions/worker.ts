import type { EngineKind } from "../config/engine-kind.ts";
import type { Volumes } from "../config/volumes.ts";
import type { ContainerRun } from "../containers/run-description.ts";
import { Failure, messageOf, UserError } from "../core/errors.ts";

/** How to start workers that can take each other's calls. */
export interface WorkerSpec extends Pick<ContainerRun, "programArguments" | "network" | "resources"> {
  /** Of the first call, for names of containers and pods. */
  readonly name: string;
  /** `HOST/REPOSITORY@sha256:…`. Undefined for processes. */
  readonly image?: string;
  /** `SECRET:NAME` becomes the value of a secret when a worker starts. */
  readonly env: Readonly<Record<string, string>>;
  /** Folders are absolute. */
  readonly volumes?: Volumes;
}

/** How a worker ended. */
export interface WorkerEnd {
  /** Its exit status; 128 and the signal's number when killed. */
  readonly status: number;
  readonly reason?: { readonly problem: string; readonly remedy: string };
  /** It was deleted, evicted or lost with its node: no fault of the calls that it ran. */
  readonly isLost?: boolean;
  /** The engine itself failed, as it would with the next one: a {@link UserError} or Failure that ends all calls. */
  readonly cause?: unknown;
}

/** How an error of the engine ends a worker. */
export function failureOf(error: unknown): WorkerEnd {
  const isOurs = error instanceof UserError || error instanceof Failure;
  const { problem, remedy } = isOurs ? error : { problem: messageOf(error), remedy: "Try again." };
  return { status: 1, cause: error, reason: { problem, remedy } };
}

export interface WorkerListener {
  /** Its process runs. @param where a pod and its node */
  readonly onStart: (where?: string) => void;
  /** There is a connection, at first or again. `attach` has to be sent, with this token. */
  readonly onConnect: (token?: string) => void;
  /** Bytes from the channel. A promise holds back more. */
  readonly onData: (chunk: Buffer) => void | Promise<void>;
  /** Its standard error, and its standard output where that is not the channel. */
  readonly onOutput: (chunk: Buffer) => void | Promise<void>;
  /** Once. Nothing comes after it. */
  readonly onEnd: (end: WorkerEnd) => void;
}

export interface Worker {
  /** Sends bytes on the channel. A promise settles when there is room for more. Without a connection, they are lost. */
  readonly write: (data: Buffer) => void | Promise<void>;
  /** No more bytes will be written: it ends by itself soon. */
  readonly close: () => void;
  /** Ends it now. Settles after `onEnd`. */
  readonly stop: () => Promise<void>;
}

/** Workers of one kind. */
export interface WorkerGroup {
  /** Does not wait: workers that are started in the same turn of the event loop may start together. */
  start(listener: WorkerListener): Worker;
  /** Removes what the group made, after its workers have ended. */
  close(): Promise<void>;
}

/** Starts workers, and says when and why one ended. Nothing else: calls, retries and limits are the scheduler's. */
export interface WorkerEngine {
  readonly kind: EngineKind;
  /** How many workers of a map run at once unless the user says so. */
  room(spec: WorkerSpec): number;
  /**
   * @param tell prints a notice for the user
   * @throws UserError, Failure if the engine does not work
   */
  open(spec: WorkerSpec, tell: (text: string) => void): Promise<WorkerGroup>;
}

/** Headers of frames to a worker: see docs/worker-protocol.md. */
export type ToWorker =
  | { readonly type: "attach"; readonly protocol: number; readonly token?: string }
  | { readonly type: "call"; readonly id: number; readonly function: string }
  | { readonly type: "revoke"; readonly ids: readonly number[] }
  | { readonly type: "ack"; readonly replies: number }
  | { readonly type: "end" };

/** Headers of frames from a worker. */
export type FromWorker =
  | {
      readonly type: "hello";
      readonly protocol: number;
      readonly functions: readonly string[];
      /** The largest `id` of a call that arrived. */
      readonly received: number;
      readonly replies: number;
    }
  | { readonly type: "result"; readonly id: number }
  | { readonly type: "error"; readonly id: number }
  | { readonly type: "output"; readonly id: number }
  | { readonly type: "started"; readonly ids: readonly number[] }
  | { readonly type: "revoked"; readonly ids: readonly number[] };
