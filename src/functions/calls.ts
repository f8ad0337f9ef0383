import type { EngineKind } from "../config/engine-kind.ts";
import type { Volumes } from "../config/volumes.ts";
import type { ContainerRun } from "../containers/run-description.ts";
import type { Sink } from "../core/flow.ts";
import type { Reply } from "../core/protocol.ts";
import { prefixOf, WholeLines } from "../core/whole-lines.ts";

/** Set by the launcher: the program that runs calls on engines whose client is too large, or of another language, for a user's program. */
export const helperVariable = "SLIPWAY_ENGINE_HELPER";

/** Set by the launcher where it has started that program already: path of the socket at which it waits for calls. */
export const helperSocketVariable = "SLIPWAY_ENGINE_SOCKET";

/** Calls of one function of a program, each in a fresh process, container or pod of that program. */
export interface CallBatch extends Pick<ContainerRun, "programArguments" | "network" | "resources"> {
  /** `SECRET:NAME` is replaced by the value of a secret when calls start, and not before. */
  readonly env: Readonly<Record<string, string>>;
  /** Folders are absolute. */
  readonly volumes?: Volumes;
  /** The program's image, `HOST/REPOSITORY@sha256:…`; undefined for processes of this machine. */
  readonly image?: string;
  /** The batch's name among those of the program. Default: it has none. */
  readonly id?: string;
  /** The batches whose results its arguments contain. Default: none. */
  readonly after?: readonly string[];
  /** The function's name in the program. */
  readonly name: string;
  /** For each call its list of arguments, as JSON on one line. */
  readonly inputs: readonly string[];
  /** How many run at once at most; by default what this machine has room for, and 50 on Kubernetes. */
  readonly parallelism?: number;
  /** How often a failed call is repeated. Default: never. */
  readonly retries?: number;
  /** Seconds after which an attempt is ended. Default: none. */
  readonly timeLimit?: number;
  /** Results are kept in the image's repository, and calls that have one do not run. Only the helper does so. Default: no. */
  readonly keep?: {
    /** Default: the image's layers. */
    readonly version?: string;
    /** The pipeline that the version is one of. */
    readonly program?: string;
  };
  /** Folder of this machine for the content of files. Calls on this machine see it, and pods do not. Default: none. */
  readonly files?: string;
  /** The calls are those of a map: each line that they print stands after the function and the item. Default: it is passed on as it is. */
  readonly labels?: "plain" | "colored";
  /** The items of the inputs, where those are a part of a map. Default: their indexes. */
  readonly items?: readonly number[];
}

/** How one call ended: with an answer, or with a status (and a reason, where more is known than that) before it gave one. */
export type CallOutcome =
  | { readonly reply: Reply /** It did not run: a result was kept. */; readonly kept?: true }
  | { readonly status: number; readonly reason?: { readonly problem: string; readonly remedy: string } };

/** Whether a call has given a result. */
export function isFine(outcome: CallOutcome): boolean {
  return "reply" in outcome && !("error" in outcome.reply);
}

/** A call in words. */
export function nameOf({ name, inputs, items, labels }: CallBatch, index: number): string {
  const isAlone = inputs.length === 1 && labels === undefined;
  return isAlone ? name : `${name}, item ${items?.[index] ?? index}`;
}

/** Takes what one stream of a call prints. `end` passes on a last line without an end. */
export function outputOf(
  { name, items, labels }: CallBatch,
  index: number,
  onOutput: Sink,
): { readonly write: Sink; readonly end: () => void | Promise<void> } {
  if (labels === undefined) return { write: onOutput, end: () => {} };
  const item = items?.[index] ?? index;
  const prefix = prefixOf(`${name} ${item}`, labels === "colored" ? item : undefined);
  const lines = new WholeLines(() => prefix, onOutput);
  return { write: (data) => lines.write(data), end: () => lines.end() };
}

/** What is printed when a call failed and is repeated. */
export function retryNotice(batch: CallBatch, index: number, failures: number): Buffer {
  const { retries = 0 } = batch;
  const call = nameOf(batch, index);
  return Buffer.from(`slipway: ${call}: attempt ${failures} of ${retries + 1} failed; trying again\n`);
}

export interface CallListener {
  /** When an attempt of a call starts. @param where the pod and its node */
  readonly onStart?: (index: number, where?: string) => void;
  /** Once for each call, in the order in which they end. */
  readonly onOutcome: (index: number, outcome: CallOutcome) => void;
  /** What functions print, and remarks of the engine: for standard error. */
  readonly onOutput: Sink;
  /** Whether answers are handed on as JSON, and so keep numbers that JavaScript does not have: `parseExactly`. Default: no. */
  readonly handsOn?: boolean;
  /** Ends all calls; `run` settles when nothing of them is left. */
  readonly signal?: AbortSignal;
}

/** Where functions of a program run. Calls belong to the process that makes them, and end with it. */
export interface CallEngine {
  readonly kind: EngineKind;
  /**
   * Runs all calls of a batch. One that fails does not keep the others from running.
   *
   * @throws UserError, Failure when the engine itself does not work; no call of the batch runs any longer then
   */
  run(batch: CallBatch, listener: CallListener): Promise<void>;
}

export function placeOf(kind: EngineKind, image: string | undefined): string {
  if (image === undefined || kind === "process") return "a process of this machine";
  return kind === "container" ? `a container of ${image}` : `a pod of ${image}`;
}

/** The most that arguments, and a result, may take as JSON, in bytes. */
export const maximumJsonBytes = 16 * 1024 * 1024;
/** The most that the line with a result or an error may take: a reply wraps the result in a few bytes, and an error is never that long. */
export const maximumReply = maximumJsonBytes + 1024;
