import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { text } from "node:stream/consumers";
import { UserError } from "../core/errors.ts";
import { findExecutable } from "../core/executables.ts";
import type { Deployment } from "./deployment.ts";
import type { Json } from "./json.ts";

/** Names the command line, where it is not `slipway` on PATH. */
const commandVariable = "SLIPWAY_COMMAND";

/** How a job is resolved or run. */
export interface JobRunOptions {
  /** What the job is called. Default: `job`. */
  readonly name?: string;
  /** Where relative paths start and the lock, `NAME.lock.json`, is kept. Default: the working directory. */
  readonly folder?: string;
  /** Default: what `SLIPWAY_ENGINE` says. */
  readonly engine?: "process" | "container" | "kubernetes";
}

/** A command about a job that ended with another status than 0. Why is on standard error, a function's traceback included. */
export class JobError extends Error {
  override readonly name = "JobError";
  /** Of the command: the job's own, 2 for a mistake of the user's. */
  readonly status: number;

  constructor(message: string, status: number) {
    super(message);
    this.status = status;
  }
}

/**
 * Finds out what tags, branches and files of a job mean now, and writes that to `NAME.lock.json`.
 *
 * @returns the lock
 * @throws JobError for what is wrong with the job; UserError when there is no command line
 */
export async function resolveJob(deployment: Deployment, options: Omit<JobRunOptions, "engine"> = {}): Promise<Json> {
  await command("resolve", deployment, options);
  const { name = "job", folder = "." } = options;
  return JSON.parse(await readFile(join(folder, `${name}.lock.json`), "utf8")) as Json;
}

/**
 * Runs a job to its end, as `NAME.lock.json` says where there is one.
 *
 * @returns what the function gave back; of a command, what it printed
 * @throws JobError for what is wrong with the job, or when it failed; UserError when there is no command line
 */
export async function runJob(deployment: Deployment, options: JobRunOptions = {}): Promise<Json> {
  const printed = await command("run", deployment, options);
  return deployment.function === undefined ? printed : (JSON.parse(printed) as Json);
}

async function command(
  action: "resolve" | "run",
  deployment: Deployment,
  { name = "job", folder = ".", engine }: JobRunOptions,
): Promise<string> {
  const program = process.env[commandVariable] || findExecutable("slipway", process.env);
  if (program === undefined) {
    throw new UserError(
      "The command slipway is not on PATH.",
      `Put it there with \`bazel run @slipway//:slipway -- install FOLDER\`, or name it in ${commandVariable}.`,
    );
  }
  const draft = await mkdtemp(join(tmpdir(), "slipway-job-"));
  try {
    const document = join(draft, `${name}.json`);
    await writeFile(document, JSON.stringify(deployment));
    const chosen = engine === undefined ? [] : ["--engine", engine];
    const child = spawn(program, ["job", action, document, "--folder", resolve(folder), ...chosen], {
      stdio: ["ignore", "pipe", "inherit"],
    });
    const closed = once(child, "close") as Promise<[number | null]>;
    const [printed, [status]] = await Promise.all([text(child.stdout), closed]);
    if (status === 0) return printed;
    throw new JobError(`slipway job ${action} ended with status ${status}.`, status ?? 1);
  } finally {
    await rm(draft, { recursive: true, force: true });
  }
}
