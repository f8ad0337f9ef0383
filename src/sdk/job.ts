import { spawn } from "node:child_process";
import { once } from "node:events";
import { readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { text } from "node:stream/consumers";
import { UserError } from "../core/errors.ts";
import { findExecutable } from "../core/executables.ts";
import { temporaryFolder } from "../core/temporary-folder.ts";
import { userPath } from "../core/user-path.ts";
import type { Deployment } from "./deployment.ts";
import type { Json } from "./json.ts";
import { step } from "./steps.ts";

/** Overrides the command line, by default `slipway` on PATH. */
const commandVariable = "SLIPWAY_COMMAND";

/** Options of {@link resolveJob} and {@link runJob}. */
export interface JobRunOptions {
  /** Name of the job. Default: `job`. */
  readonly name?: string;
  /** Folder for relative paths and for the lock, `NAME.lock.json`. Default: the working directory; under `bazel run`, the one where you called it. */
  readonly folder?: string;
  /** Engine that runs the job. Default: `kubernetes` if `SLIPWAY_ENGINE` is `kubernetes`, else by the job's interpreter. */
  readonly engine?: "process" | "container" | "kubernetes";
}

/** A `slipway job` command failed. The reason, including a function's stack trace, is on standard error. */
export class JobError extends Error {
  override readonly name = "JobError";
  /** Exit status of the command: the job's own, or 2 for an error that you can fix. */
  readonly status: number;

  constructor(message: string, status: number) {
    super(message);
    this.status = status;
  }
}

/**
 * Resolves the tags, branches and files of a job to exact versions and writes them to `NAME.lock.json`.
 *
 * @param deployment the job
 * @param options name and folder
 * @returns the content of the lock
 * @throws JobError if the job cannot be resolved
 * @throws UserError if the command `slipway` is not found
 */
export async function resolveJob(deployment: Deployment, options: Omit<JobRunOptions, "engine"> = {}): Promise<Json> {
  await command("resolve", deployment, options);
  const { name = "job", folder } = options;
  return JSON.parse(await readFile(join(userPath(folder), `${name}.lock.json`), "utf8")) as Json;
}

/**
 * Runs a job and waits for its end. If `NAME.lock.json` exists, the job runs at the versions in it, else at its current versions.
 *
 * @param deployment the job
 * @param options name, folder and engine
 * @returns the function's result, or the standard output of a command as a string
 * @throws JobError if the job is invalid or fails
 * @throws UserError if the command `slipway` is not found
 */
export function runJob(deployment: Deployment, options: JobRunOptions = {}): Promise<Json> {
  return step({ name: `job ${options.name ?? "job"}`, takes: [] }, async () => {
    const printed = await command("run", deployment, options);
    return deployment.function === undefined ? printed : (JSON.parse(printed) as Json);
  });
}

async function command(
  action: "resolve" | "run",
  deployment: Deployment,
  { name = "job", folder, engine }: JobRunOptions,
): Promise<string> {
  const program = process.env[commandVariable] || findExecutable("slipway", process.env);
  if (program === undefined) {
    throw new UserError(
      { code: "program-missing", culprit: "slipway" },
      "The command slipway is not on PATH.",
      `Install it with \`bazel run @slipway//:slipway -- install FOLDER\`, or name it in ${commandVariable}.`,
    );
  }
  const draft = temporaryFolder("slipway-job-");
  try {
    const document = join(draft.path, `${name}.json`);
    await writeFile(document, JSON.stringify(deployment));
    const chosen = engine === undefined ? [] : ["--engine", engine];
    const child = spawn(program, ["job", action, document, "--folder", userPath(folder), ...chosen], {
      stdio: ["ignore", "pipe", "inherit"],
    });
    const closed = once(child, "close") as Promise<[number | null]>;
    const [printed, [status]] = await Promise.all([text(child.stdout), closed]);
    if (status === 0) return printed;
    throw new JobError(`slipway job ${action} ended with status ${status}.`, status ?? 1);
  } finally {
    draft.remove();
  }
}
