import { UserError } from "../core/errors.ts";
import { findExecutable } from "../core/executables.ts";
import { userPath } from "../core/user-path.ts";
import { askProgram } from "../functions/ask-program.ts";
import { helperVariable } from "../functions/helper-variables.ts";
import type { JobAnswer, JobRequest } from "../jobs/job-protocol.ts";
import type { Deployment } from "./deployment.ts";
import type { Json } from "./json.ts";
import { step } from "./steps.ts";

/** Names the program that runs jobs where a program has no engine helper. Default: `slipway` on PATH. */
const commandVariable = "SLIPWAY_COMMAND";

/** Options of {@link resolveJob} and {@link runJob}. */
export interface JobRunOptions {
  /** Name of the job. Default: `job`. */
  readonly name?: string;
  /**
   * Folder for relative paths and for the lock, `NAME.lock.json`. Default: the working directory; under `bazel run`,
   * the one where you called it.
   */
  readonly folder?: string;
  /** Engine that runs the job. Default: `kubernetes` if `SLIPWAY_ENGINE` is that, else by the job's interpreter. */
  readonly engine?: "process" | "container" | "kubernetes";
}

/**
 * A job failed. Its output, including a function's stack trace, is on standard error. A job that cannot run is a
 * UserError or Failure.
 */
export class JobError extends Error {
  override readonly name = "JobError";
  readonly code = "job-failed";
  /** The job's ID. */
  readonly culprit: string;
  /** The job's exit status, or 1 if it has none. */
  readonly status: number;

  constructor(message: string, culprit: string, status: number) {
    super(message);
    this.culprit = culprit;
    this.status = status;
  }
}

/**
 * Resolves the tags, branches and files of a job to exact versions and writes them to `NAME.lock.json`.
 *
 * @param deployment the job
 * @param options name and folder
 * @returns the content of the lock
 * @throws UserError if the job is invalid, or a tag, branch or file does not exist
 */
export function resolveJob(deployment: Deployment, options: Omit<JobRunOptions, "engine"> = {}): Promise<Json> {
  return ask("resolve", deployment, options);
}

/**
 * Runs a job and waits for its end. It runs at the versions in `NAME.lock.json` if that exists, else at its current
 * ones.
 *
 * @param deployment the job
 * @param options name, folder and engine
 * @returns the function's result, or the standard output of a command as a string
 * @throws JobError if the job fails, UserError if it is invalid or cannot run here
 */
export function runJob(deployment: Deployment, options: JobRunOptions = {}): Promise<Json> {
  return step({ name: `job ${options.name ?? "job"}`, takes: [] }, () => ask("run", deployment, options));
}

/** Has the engine helper run the job, since programs do not contain what that needs. */
async function ask(
  action: JobRequest["action"],
  deployment: Deployment,
  { name = "job", folder, engine }: JobRunOptions,
): Promise<Json> {
  const request: JobRequest = { action, name, folder: userPath(folder), engine, document: JSON.stringify(deployment) };
  const answer = await askProgram<JobAnswer>(runner(), ["job", "answer"], process.env, JSON.stringify(request));
  if ("result" in answer) return answer.result as Json;
  const { message, id, status } = answer.failed;
  throw new JobError(message, id, status);
}

function runner(): string {
  const program = process.env[helperVariable] || process.env[commandVariable] || findExecutable("slipway", process.env);
  if (program) return program;
  throw new UserError(
    { code: "program-missing", culprit: "slipway" },
    "This program was not started by a launch script, and the command slipway is not on PATH.",
    `Install it with \`bazel run @slipway//:slipway -- install FOLDER\`, or name it in ${commandVariable}.`,
  );
}
