import { existsSync, readFileSync } from "node:fs";
import process from "node:process";
import { UserError } from "../../core/errors.ts";
import { replaceFile } from "../../core/files.ts";
import { type Change, diffLocks } from "../../jobs/diff.ts";
import { imageOfTarget } from "../../jobs/image-target.ts";
import { formatJobLock, type JobLock, readJobLock } from "../../jobs/lock.ts";
import { environmentOf, resolveDeployment } from "../../jobs/resolve.ts";
import { type EngineName, needsImages } from "./job-engines.ts";
import { JobFile, type JobOptions } from "./job-file.ts";
import { printJson } from "./output.ts";

interface ResolveJobOptions extends JobOptions {
  /** The engine that will run the job. Environments from files need a base image except on `process`. */
  readonly engine: EngineName | undefined;
}

/** Resolves a job and writes its lock. Prints changes since the last lock to standard error, the lock's path to standard output. */
export async function resolveJob(options: ResolveJobOptions): Promise<void> {
  const file = new JobFile(options);
  file.refuseLock();
  const lock = await resolveNow(file, options.engine);
  const before = file.hasLock ? await readJobLock(file.lockPath, file.lockName) : undefined;
  const text = formatJobLock(lock);
  if (before) for (const change of diffLocks(before, lock)) process.stderr.write(`${formatChange(change)}\n`);
  if (!existsSync(file.lockPath) || readFileSync(file.lockPath, "utf8") !== text) {
    await replaceFile(file.lockPath, text).catch((cause: NodeJS.ErrnoException) => {
      throw new UserError(
        { code: "file-unwritable", culprit: file.lockName },
        `${file.lockName} cannot be written (${cause.code}).`,
        "Check that its folder exists and that you can write to it.",
        { cause },
      );
    });
  }
  process.stdout.write(`${file.lockName}\n`);
}

/** Prints what has changed since the lock was made. */
export async function diffJob(
  options: ResolveJobOptions & { readonly json: boolean; readonly exitCode: boolean },
): Promise<void> {
  const file = new JobFile(options);
  file.refuseLock();
  if (!file.hasLock) {
    const identity = { code: "lock-outdated", culprit: file.lockName } as const;
    throw new UserError(identity, `${file.lockName} does not exist.`, `Make it with \`${file.resolveCommand}\`.`);
  }
  const before = await readJobLock(file.lockPath, file.lockName);
  // A base image that was not locked cannot have changed.
  const hadBase = environmentOf(before.deployment.interpreter)?.base !== undefined;
  const after = await resolveNow(file, options.engine ?? (hadBase ? "container" : "process"));
  const changes = diffLocks(before, after);
  if (options.json) printJson(changes);
  else for (const change of changes) process.stdout.write(`${formatChange(change)}\n`);
  if (changes.length === 0) process.stderr.write(`Nothing moved since ${file.lockName} was made.\n`);
  else if (options.exitCode) process.exitCode = 1;
}

/** Resolves a job to its current versions. */
export async function resolveNow(file: JobFile, engine: EngineName | undefined): Promise<JobLock> {
  const asked = await file.read();
  return resolveDeployment(asked, {
    git: {},
    imageOf: (target) => imageOfTarget(target, process.env),
    needsImages: environmentOf(asked.deployment.interpreter) !== undefined && needsImages(engine),
  });
}

function formatChange({ field, before, after, because }: Change): string {
  const remark = because === undefined ? "" : ` (${because})`;
  return `${field}${remark}: ${before ?? "(nothing)"} -> ${after ?? "(nothing)"}`;
}
