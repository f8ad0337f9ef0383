import type { EngineKind } from "../config/engine-kind.ts";
import type { Volumes } from "../config/volumes.ts";
import type { ContainerRun } from "../containers/run-description.ts";
import type { Sink } from "../core/flow.ts";
import type { Reply } from "../core/protocol.ts";
import { prefixOf, WholeLines } from "../core/whole-lines.ts";

/** Set by the launcher: the helper, which runs calls on engines that a user's program cannot use itself. */
export const helperVariable = "SLIPWAY_ENGINE_HELPER";

/** Set by the launcher if it has started that program: the socket on which it listens. */
export const helperSocketVariable = "SLIPWAY_ENGINE_SOCKET";

/** Calls of one function, each in a new process, container or pod of the program. */
export interface CallBatch extends Pick<ContainerRun, "programArguments" | "network" | "resources"> {
  /** `SECRET:NAME` becomes the value of a secret when a call starts. */
  readonly env: Readonly<Record<string, string>>;
  /** Folders are absolute. */
  readonly volumes?: Volumes;
  /** The program's image, `HOST/REPOSITORY@sha256:…`. Undefined for processes. */
  readonly image?: string;
  /** The batch's name in the program. */
  readonly id?: string;
  /** The batches whose results its arguments contain. */
  readonly after?: readonly string[];
  /** The function's name in the program. */
  readonly name: string;
  /** For each call its list of arguments, as JSON on one line. */
  readonly inputs: readonly string[];
  /** Maximum calls at once. Default: what this machine has room for, and 50 on Kubernetes. */
  readonly parallelism?: number;
  /** Default: 0. */
  readonly retries?: number;
  /** Seconds for an attempt. Default: no limit. */
  readonly timeLimit?: number;
  /** Keeps results in the image's repository, and runs only calls without a kept result. Only the helper does so. */
  readonly keep?: {
    /** Default: the image's layers. */
    readonly version?: string;
    /** The pipeline that has this version. */
    readonly program?: string;
  };
  /** A folder of this machine for the content of files, for calls on this machine. */
  readonly files?: string;
  /** The calls are a map: each line that they print begins with the function and the item. */
  readonly labels?: "plain" | "colored";
  /** The items of the inputs, if those are a part of a map. Default: their indexes. */
  readonly items?: readonly number[];
}

/** The end of a call: an answer, or the exit status of a call that gave none. `kept`: it did not run. */
export type CallOutcome =
  | { readonly reply: Reply; readonly kept?: true }
  | { readonly status: number; readonly reason?: { readonly problem: string; readonly remedy: string } };

/** Whether a call has given a result. */
export function isFine(outcome: CallOutcome): boolean {
  return "reply" in outcome && !("error" in outcome.reply);
}

export function nameOf({ name, inputs, items, labels }: CallBatch, index: number): string {
  const isAlone = inputs.length === 1 && labels === undefined;
  return isAlone ? name : `${name}, item ${items?.[index] ?? index}`;
}

/** Takes one output stream of a call. `end` passes on an unfinished last line. */
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

export function retryNotice(batch: CallBatch, index: number, failures: number): Buffer {
  const { retries = 0 } = batch;
  const call = nameOf(batch, index);
  return Buffer.from(`slipway: ${call}: attempt ${failures} of ${retries + 1} failed; trying again\n`);
}

export interface CallListener {
  /** An attempt starts. @param where the pod and its node */
  readonly onStart?: (index: number, where?: string) => void;
  /** Once for each call. */
  readonly onOutcome: (index: number, outcome: CallOutcome) => void;
  /** The output of functions, and notices of the engine. */
  readonly onOutput: Sink;
  /** Answers are passed on as JSON, so they keep numbers that JavaScript does not have (see `parseExactly`). */
  readonly handsOn?: boolean;
  /** Ends all calls. `run` settles when they have ended. */
  readonly signal?: AbortSignal;
}

/** Runs functions of a program. Calls end with the process that makes them. */
export interface CallEngine {
  readonly kind: EngineKind;
  /**
   * Runs all calls of a batch. If one fails, the others go on.
   *
   * @throws UserError, Failure if the engine fails. It has ended all calls then
   */
  run(batch: CallBatch, listener: CallListener): Promise<void>;
}

export function placeOf(kind: EngineKind, image: string | undefined): string {
  if (image === undefined || kind === "process") return "a process of this machine";
  return kind === "container" ? `a container of ${image}` : `a pod of ${image}`;
}

/** A part of a batch, and a listener for it that knows the calls by their indexes in the batch. */
export function partOf(
  batch: CallBatch,
  listener: CallListener,
  indexes: readonly number[],
): { readonly batch: CallBatch; readonly listener: CallListener } {
  const indexOf = (position: number) => indexes[position] ?? position;
  return {
    batch: {
      ...batch,
      inputs: indexes.map((index) => batch.inputs[index] ?? ""),
      items: indexes.map((index) => batch.items?.[index] ?? index),
    },
    listener: {
      ...listener,
      onStart: (position, where) => listener.onStart?.(indexOf(position), where),
      onOutcome: (position, outcome) => listener.onOutcome(indexOf(position), outcome),
    },
  };
}

/** Prints a notice of the engine. */
export function tell({ onOutput }: Pick<CallListener, "onOutput">, text: string): void {
  void onOutput(Buffer.from(`slipway: ${text}\n`));
}

/** Maximum bytes of arguments, and of a result, as JSON. */
export const maximumJsonBytes = 16 * 1024 * 1024;
/** Maximum bytes of the line with a result or an error: a result in a few bytes around it. */
export const maximumReply = maximumJsonBytes + 1024;
