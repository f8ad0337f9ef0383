import process from "node:process";
import type { EngineKind } from "../../config/engine-kind.ts";
import { untilInterrupted } from "../../core/until-interrupted.ts";
import type { JobEngine, ShownLog } from "../../jobs/engine.ts";
import { describeJob, exitStatusOfJob, followJob, goesOn } from "../../jobs/follow-job.ts";
import { JobFile, type JobPlace } from "../../jobs/job-file.ts";
import { diffJob, formatChange, resolveJob } from "../../jobs/resolve-job.ts";
import { startJob } from "../../jobs/run-job.ts";
import { notice, printJson, write } from "./output.ts";

interface EngineOption extends JobPlace {
  readonly engine: EngineKind | undefined;
}

interface RunOptions extends EngineOption {
  readonly detach: boolean;
  readonly once: boolean;
  readonly copyCredentials: boolean | undefined;
}

/** Runs a job and waits for its end. With `detach`, only submits it. */
export async function run(options: RunOptions): Promise<void> {
  const job = await startJob(new JobFile(options), { ...options, tell: notice });
  if ("schedule" in job) process.stdout.write(`${job.schedule}\n`);
  else if (options.detach) process.stdout.write(`${job.id}\n`);
  else await follow(job.engine, job.id, job.isFunction);
}

/** Prints a job's output until it ends, then exits with its status. An interrupt leaves the job running. */
export async function follow(engine: JobEngine, id: string, isFunction: boolean, shown: ShownLog = {}): Promise<void> {
  notice(`job ${id}`);
  // Standard output is for the function's result.
  const print = (stream: "stdout" | "stderr", data: Buffer) =>
    write(stream === "stdout" && !isFunction ? process.stdout : process.stderr, data);
  await untilInterrupted(async (signal) => {
    const { status, reply } = await followJob(engine, id, { ...shown, signal, print });
    if (reply && "error" in reply) process.stderr.write(`${reply.error.details.trimEnd()}\n`);
    else if (reply) await write(process.stdout, `${JSON.stringify(reply.result ?? null)}\n`);
    if (status.state !== "succeeded" || status.items) notice(describeJob(status));
    process.exitCode = exitStatusOfJob(status);
  }, goesOn(id));
}

/** Prints changes since the last lock to standard error, the lock's path to standard output. */
export async function resolve(options: EngineOption): Promise<void> {
  const file = new JobFile(options);
  const { changes } = await resolveJob(file, options.engine);
  for (const change of changes) process.stderr.write(`${formatChange(change)}\n`);
  process.stdout.write(`${file.lockName}\n`);
}

export async function diff(
  options: EngineOption & { readonly json: boolean; readonly exitCode: boolean },
): Promise<void> {
  const file = new JobFile(options);
  const changes = await diffJob(file, options.engine);
  if (options.json) printJson(changes);
  else for (const change of changes) process.stdout.write(`${formatChange(change)}\n`);
  if (changes.length === 0) process.stderr.write(`Nothing moved since ${file.lockName} was made.\n`);
  else if (options.exitCode) process.exitCode = 1;
}
