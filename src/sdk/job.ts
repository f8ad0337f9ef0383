import { Failure, UserError } from "../core/errors.ts";
import { findExecutable } from "../core/executables.ts";
import { runProgram } from "../core/run-program.ts";
import { userPath } from "../core/user-path.ts";
import { fromWire, isWireError } from "../core/wire-error.ts";
import { helperVariable } from "../functions/helper-variables.ts";
import type { JobAnswer, JobRequest } from "../jobs/job-protocol.ts";
import type { Deployment } from "./deployment.ts";
import type { Json } from "./json.ts";
import { step } from "./steps.ts";

/** Names the program that runs jobs where a program has no engine helper. Default: `slipway` on PATH. */
const commandVariable = "SLIPWAY_COMMAND";

/** Bytes of a result. */
const mostAnswer = 256 * 1024 * 1024;
const notBuilt = "Build the pipeline's target again.";

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
  const program = runner();
  const input = JSON.stringify(request);
  const options = { env: process.env, input, most: mostAnswer, onStderr: "inherit", remedy: notBuilt } as const;
  const { stdout, status } = await runProgram(program, ["job", "answer"], options);
  const answer = parsed(stdout);
  const failure = (problem: string, remedy: string) =>
    new Failure({ code: "program-failed", culprit: program }, problem, remedy);
  if (answer === undefined)
    throw failure(`${program} ended with status ${status} before it was done.`, "Look at what it printed above.");
  if ("result" in answer) return answer.result as Json;
  if ("failed" in answer) throw new JobError(answer.failed.message, answer.failed.id, answer.failed.status);
  if (!isWireError(answer.error)) throw failure(`${program} answered in another form.`, notBuilt);
  throw fromWire(answer.error) ?? failure(answer.error.details, "Run the program again.");
}

function parsed(json: string): JobAnswer | { readonly error?: unknown } | undefined {
  try {
    return Object(JSON.parse(json));
  } catch {
    return undefined;
  }
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
