import { UserError } from "../../core/errors.ts";
import type { RemoteFailure } from "../remote-failure.ts";
import type { Program } from "./program.ts";

/** Where a job is in its life. */
export type JobState = "queued" | "running" | "succeeded" | "failed" | "cancelled";

/** The status of a job. */
export interface JobStatus {
  readonly id: string;
  readonly state: JobState;
  /** Why it failed, for people, where it is not by its own exit status alone. */
  readonly reason?: string;
  /** Of the last attempt that ended. */
  readonly exitStatus?: number;
  /** Attempts begun. */
  readonly attempts: number;
  /** ISO 8601. */
  readonly submitted: string;
  readonly started?: string;
  readonly ended?: string;
}

/** The function's result or error. Undefined for a command, and for a function that ended before it had either. */
export interface JobOutcome {
  readonly status: JobStatus;
  readonly reply?: { readonly result?: unknown } | { readonly error: RemoteFailure };
}

/** A piece of what a job printed. */
export interface LogChunk {
  readonly stream: "stdout" | "stderr";
  readonly data: Buffer;
}

/** Where jobs run. Jobs live on when the process that submitted them ends. */
export interface JobEngine {
  /** @returns the job's id, with which any later process finds it */
  submit(program: Program): Promise<string>;
  /** @throws UserError when there is no such job */
  status(id: string): Promise<JobStatus>;
  /** Whether the job calls a function, whose result it gives back. */
  isFunction(id: string): Promise<boolean>;
  /** What the job printed, from the beginning; with `follow` until it ends. */
  logs(id: string, options: { readonly follow: boolean; readonly signal?: AbortSignal }): AsyncIterable<LogChunk>;
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
  list(): Promise<JobStatus[]>;
}

/** Jobs that ended longer ago than this are forgotten when the next one is submitted; in milliseconds. */
export const keptFor = 30 * 24 * 60 * 60 * 1000;

/** Those jobs that ended before a time. */
export function endedBefore(jobs: readonly JobStatus[], time: number): JobStatus[] {
  return jobs.filter((job) => hasEnded(job) && Date.parse(job.ended ?? job.submitted) < time);
}

/** The error for the removal of a job that has not ended. */
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
