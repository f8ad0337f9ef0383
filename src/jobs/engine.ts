import { UserError } from "../core/errors.ts";
import type { WireError } from "../core/wire-error.ts";
import type { Program } from "./program.ts";

export type JobState = "queued" | "running" | "succeeded" | "failed" | "cancelled";

export interface JobStatus {
  readonly id: string;
  readonly state: JobState;
  /** Why it failed, for people, where it is not by its own exit status alone. */
  readonly reason?: string;
  /** Of the last attempt that ended. */
  readonly exitStatus?: number;
  readonly attempts: number;
  /** `HOST/REPOSITORY@sha256:…` Undefined: a process of this machine. */
  readonly image?: string;
  /** Of its code, if that is from git. */
  readonly commit?: string;
  readonly submitted: string;
  readonly started?: string;
  readonly ended?: string;
  /** Of a job with a matrix. */
  readonly items?: ItemCounts;
}

/** How many items of a job are where. The others have not begun. */
export interface ItemCounts {
  readonly total: number;
  readonly succeeded: number;
  readonly failed: number;
  readonly running: number;
  /** Those that failed, in order. */
  readonly failures: readonly FailedItem[];
}

export interface FailedItem {
  readonly index: number;
  /** Its variables. */
  readonly values: Readonly<Record<string, string>>;
  readonly exitStatus?: number;
  /** Why it failed, for people, where it is not by its own exit status alone. */
  readonly reason?: string;
}

/** A job in a list. */
export interface ListedJob extends JobStatus {
  /** Of its program: of a job on Kubernetes as its id has it. */
  readonly name: string;
  readonly engine: "process" | "container" | "kubernetes";
  /** Who submitted it: in a cluster as a label can hold it. */
  readonly user: string;
}

/** The function's result or error. Undefined for a command, and for a function that ended before it had either. */
export interface JobOutcome {
  readonly status: JobStatus;
  readonly reply?: { readonly result?: unknown } | { readonly error: WireError };
}

export interface LogChunk {
  readonly stream: "stdout" | "stderr";
  readonly data: Buffer;
}

/** The part of a job's output that is shown, and how. */
export interface ShownLog {
  /** The last lines alone, so many of each stream or pod. */
  readonly tail?: number | undefined;
  /** On Kubernetes: nothing older than this. */
  readonly since?: Date | undefined;
  /** On Kubernetes: whether each line begins with the time when it was printed. */
  readonly timestamps?: boolean | undefined;
  /** Of a job with a matrix: this item alone. Otherwise each line begins with the number of its item. */
  readonly item?: number | undefined;
}

/** Where jobs run. Jobs live on when the process that submitted them ends. */
export interface JobEngine {
  /**
   * @returns the job's id, with which any later process finds it
   * @throws UserError for a variable with a secret that is not there
   */
  submit(program: Program): Promise<string>;
  /** @throws UserError when there is no such job */
  status(id: string): Promise<JobStatus>;
  /** Whether the job calls a function, whose result it gives back. */
  isFunction(id: string): Promise<boolean>;
  /** What the job printed, from the beginning; with `follow` until it ends. */
  logs(
    id: string,
    options: ShownLog & { readonly follow: boolean; readonly signal?: AbortSignal },
  ): AsyncIterable<LogChunk>;
  /** Ends the job with all that it started; settles when nothing of it runs. It is no error when it has ended. */
  cancel(id: string): Promise<void>;
  /** Waits for the job's end. */
  collect(id: string, options?: { readonly signal?: AbortSignal }): Promise<JobOutcome>;
  /**
   * Forgets a job that has ended, with all that it printed and gave back.
   *
   * @throws UserError when it runs, or there is no such job
   */
  remove(id: string): Promise<void>;
  /** All jobs, the newest last. */
  list(): Promise<ListedJob[]>;
}

/** Jobs that ended longer ago than this are forgotten when the next one is submitted; in milliseconds. */
export const keptFor = 30 * 24 * 60 * 60 * 1000;

export function endedBefore(jobs: readonly JobStatus[], time: number): JobStatus[] {
  return jobs.filter((job) => hasEnded(job) && Date.parse(job.ended ?? job.submitted) < time);
}

export function stillRuns(id: string): UserError {
  return new UserError(
    { code: "job-state", culprit: id },
    `Job ${id} has not ended.`,
    `End it with \`slipway job cancel ${id}\`.`,
  );
}

/** Whether nothing more happens to a job. */
export function hasEnded({ state }: Pick<JobStatus, "state">): boolean {
  return state === "succeeded" || state === "failed" || state === "cancelled";
}

/** `3 of 12 items succeeded, 1 failed, 4 running`. */
export function countWords({ total, succeeded, failed, running }: ItemCounts): string {
  const words = [`${succeeded} of ${total} items succeeded`];
  if (failed > 0) words.push(`${failed} failed`);
  if (running > 0) words.push(`${running} running`);
  return words.join(", ");
}
