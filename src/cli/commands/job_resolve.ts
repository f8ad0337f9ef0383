import { existsSync, readFileSync } from "node:fs";
import { resolve } from "node:path";
import process from "node:process";
import { type Change, diffLocks } from "../../deployment/diff.ts";
import { imageOfTarget } from "../../deployment/image-target.ts";
import { formatJobLock, isLockPath, type JobLock, lockPath, readJobLock } from "../../deployment/lock.ts";
import { readDeployment } from "../../deployment/read.ts";
import { resolveDeployment } from "../../deployment/resolve.ts";
import { UserError } from "../../oci/errors.ts";
import { replaceFile } from "../../oci/files.ts";

/** The path that a user means: `bazel run` starts programs in their runfiles, and says where the user is. */
export function userPath(file: string): string {
  return resolve(process.env["BUILD_WORKING_DIRECTORY"] ?? "", file);
}

/** Resolves a job and writes its lock; what moved since the last one goes to standard error, the lock's path to standard output. */
export async function resolveJob({ file }: { readonly file: string }): Promise<void> {
  const path = userPath(file);
  refuseLock(file);
  const lock = await resolveNow(path, file);
  const target = lockPath(path);
  const before = existsSync(target) ? await readJobLock(target, lockPath(file)) : undefined;
  const text = formatJobLock(lock);
  if (before) for (const change of diffLocks(before, lock)) process.stderr.write(`${formatChange(change)}\n`);
  if (!existsSync(target) || readFileSync(target, "utf8") !== text) await replaceFile(target, text);
  process.stdout.write(`${lockPath(file)}\n`);
}

/** Shows what is not as it is in the lock any more. */
export async function diffJob(options: {
  readonly file: string;
  readonly json: boolean;
  readonly exitCode: boolean;
}): Promise<void> {
  const { file } = options;
  const path = userPath(file);
  refuseLock(file);
  if (!existsSync(lockPath(path))) {
    throw new UserError(`${lockPath(file)} does not exist.`, `Make it with \`slipway job resolve ${file}\`.`);
  }
  const [before, after] = await Promise.all([readJobLock(lockPath(path), lockPath(file)), resolveNow(path, file)]);
  const changes = diffLocks(before, after);
  if (options.json) process.stdout.write(`${JSON.stringify(changes, undefined, 2)}\n`);
  else for (const change of changes) process.stdout.write(`${formatChange(change)}\n`);
  if (changes.length === 0) process.stderr.write(`Nothing moved since ${lockPath(file)} was made.\n`);
  else if (options.exitCode) process.exitCode = 1;
}

/** What a job means now. */
export async function resolveNow(path: string, name: string): Promise<JobLock> {
  const file = await readDeployment(path, name);
  return resolveDeployment(file, { git: {}, imageOf: (target) => imageOfTarget(target, process.env) });
}

function refuseLock(file: string): void {
  if (isLockPath(file))
    throw new UserError(`${file} is a lock, in which nothing is left to ask.`, "Name the file of the job.");
}

function formatChange({ field, before, after, because }: Change): string {
  const remark = because === undefined ? "" : ` (${because})`;
  return `${field}${remark}: ${before ?? "(nothing)"} -> ${after ?? "(nothing)"}`;
}
