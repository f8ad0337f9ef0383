import type { EngineKind } from "../config/engine-kind.ts";
import type { Volumes } from "../config/volumes.ts";
import type { ContainerRun } from "../containers/run-description.ts";
import type { Sink } from "../core/flow.ts";
import type { Reply } from "../core/protocol.ts";
import { prefixOf, WholeLines } from "../core/whole-lines.ts";

/** Set by the launcher: runs calls on engines that a user's program cannot use itself. */
export const helperVariable = "SLIPWAY_ENGINE_HELPER";

/** Set by the launcher if it has started the helper: its socket. */
export const helperSocketVariable = "SLIPWAY_ENGINE_SOCKET";

/** Calls of one function, each in a new process, container or pod of the program. */
export interface CallBatch extends Pick<ContainerRun, "programArguments" | "network" | "resources"> {
  /** `SECRET:NAME` becomes the value of a secret when a call starts. */
  readonly env: Readonly<Record<string, string>>;
  /** Folders are absolute. */
  readonly volumes?: Volumes;
  /** `HOST/REPOSITORY@sha256:…`. Undefined for processes. */
  readonly image?: string;
  readonly id?: string;
  /** The batches whose results its arguments contain. */
  readonly after?: readonly string[];
  readonly name: string;
  /** Each a list of arguments, as JSON on one line. */
  readonly inputs: readonly string[];
  /** Default: what this machine has room for, and 50 on Kubernetes. */
  readonly parallelism?: number;
  /** Default: 0. */
  readonly retries?: number;
  /** Seconds for an attempt. Default: no limit. */
  readonly timeLimit?: number;
  /** Keeps results in the image's repository, and runs only calls without a kept result. Only the helper does so. */
  readonly keep?: {
    /** Default: the image's layers. */
    readonly version?: string;
    readonly program?: string;
  };
  /** For the content of files, for calls on this machine. */
  readonly files?: string;
  /** A map: each line that calls print begins with the function and the item. */
  readonly labels?: "plain" | "colored";
  /** The items of the inputs, if those are a part of a map. Default: their indexes. */
  readonly items?: readonly number[];
}

/** An answer, or the exit status of a call that gave none. `kept`: it did not run. */
export type CallOutcome =
  | { readonly reply: Reply; readonly kept?: true }
  | { readonly status: number; readonly reason?: { readonly problem: string; readonly remedy: string } };

export function isFine(outcome: CallOutcome): boolean {
  return "reply" in outcome && !("error" in outcome.reply);
}

export function nameOf({ name, inputs, items, labels }: CallBatch, index: number): string {
  const isAlone = inputs.length === 1 && labels === undefined;
  return isAlone ? name : `${name}, item ${items?.[index] ?? index}`;
}

/** `end` passes on an unfinished last line. */
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
  readonly onOutcome: (index: number, outcome: CallOutcome) => void;
  /** Gets the output of functions and notices of the engine. */
  readonly onOutput: Sink;
  /** Answers are passed on as JSON, so they keep numbers that JavaScript does not have (see `parseExactly`). */
  readonly handsOn?: boolean;
  /** Ends all calls. `run` settles when they have ended. */
  readonly signal?: AbortSignal;
}

/** Calls end with the process that makes them. */
export interface CallEngine {
  readonly kind: EngineKind;
  /** If a call fails, the others go on. @throws UserError, Failure if the engine fails, which has ended all calls */
  run(batch: CallBatch, listener: CallListener): Promise<void>;
}

export function placeOf(kind: EngineKind, image: string | undefined): string {
  if (image === undefined || kind === "process") return "a process of this machine";
  return kind === "container" ? `a container of ${image}` : `a pod of ${image}`;
}

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

export function tell({ onOutput }: Pick<CallListener, "onOutput">, text: string): void {
  void onOutput(Buffer.from(`slipway: ${text}\n`));
}

/** Of arguments, and of a result, as JSON. */
export const maximumJsonBytes = 16 * 1024 * 1024;
/** A result in a few bytes around it. */
export const maximumReply = maximumJsonBytes + 1024;
