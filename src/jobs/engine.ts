import { UserError } from "../core/errors.ts";
import type { WireError } from "../core/wire-error.ts";
import type { Program } from "./program.ts";

export type JobState = "queued" | "running" | "succeeded" | "failed" | "cancelled";

export interface JobStatus {
  readonly id: string;
  readonly state: JobState;
  /** Why it failed, for people, if its exit status does not say it. */
  readonly reason?: string;
  /** Of the last attempt that ended. */
  readonly exitStatus?: number;
  readonly attempts: number;
  /** `HOST/REPOSITORY@sha256:…` Undefined: a process of this machine. */
  readonly image?: string;
  readonly commit?: string;
  readonly submitted: string;
  readonly started?: string;
  readonly ended?: string;
  readonly items?: ItemCounts;
}

/** How many items are in which state. The others have not begun. */
export interface ItemCounts {
  readonly total: number;
  readonly succeeded: number;
  readonly failed: number;
  readonly running: number;
  readonly failures: readonly FailedItem[];
}

export interface FailedItem {
  readonly index: number;
  readonly values: Readonly<Record<string, string>>;
  readonly exitStatus?: number;
  /** Why it failed, for people, if its exit status does not say it. */
  readonly reason?: string;
}

export interface ListedJob extends JobStatus {
  /** Of its program; on Kubernetes as in its ID. */
  readonly name: string;
  readonly engine: "process" | "container" | "kubernetes";
  /** The submitter; in a cluster as a label can hold it. */
  readonly user: string;
}

/** `reply`: the function's result or error, if there was one. */
export interface JobOutcome {
  readonly status: JobStatus;
  readonly reply?: { readonly result?: unknown } | { readonly error: WireError };
}

export interface LogChunk {
  readonly stream: "stdout" | "stderr";
  readonly data: Buffer;
}

export interface ShownLog {
  /** Only so many lines of each stream or pod. */
  readonly tail?: number | undefined;
  /** On Kubernetes: nothing older than this. */
  readonly since?: Date | undefined;
  readonly timestamps?: boolean | undefined;
  /** Only this item of a matrix. Default: all, and each line begins with the number of its item. */
  readonly item?: number | undefined;
}

/** Runs jobs, which go on when the process that submitted them ends. */
export interface JobEngine {
  /** @returns the job's ID, by which any later process finds it */
  submit(program: Program): Promise<string>;
  status(id: string): Promise<JobStatus>;
  isFunction(id: string): Promise<boolean>;
  logs(
    id: string,
    options: ShownLog & { readonly follow: boolean; readonly signal?: AbortSignal },
  ): AsyncIterable<LogChunk>;
  /** Ends the job, if it runs, and all that it started. Settles when nothing of it runs. */
  cancel(id: string): Promise<void>;
  collect(id: string, options?: { readonly signal?: AbortSignal }): Promise<JobOutcome>;
  remove(id: string): Promise<void>;
  list(): Promise<ListedJob[]>;
}

/** Milliseconds after their end when jobs are removed, by the next one that is submitted. */
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
