import { existsSync, readFileSync } from "node:fs";
import process from "node:process";
import type { EngineKind } from "../config/engine-kind.ts";
import { UserError } from "../core/errors.ts";
import { replaceFile } from "../core/files.ts";
import { type Change, diffLocks } from "./diff.ts";
import { needsImages } from "./engines.ts";
import type { JobFile } from "./job-file.ts";
import { formatJobLock } from "./lock.ts";
import { resolveDeployment } from "./resolve.ts";
import { environmentOf } from "./resolve-environment.ts";
import { imageOfTarget } from "./resolve-image.ts";
import type { JobLock } from "./schema.ts";

/** Writes the lock, and returns it with the changes. Environments need a base image except on `process`. */
export async function resolveJob(
  file: JobFile,
  engine: EngineKind | undefined,
): Promise<{ readonly lock: JobLock; readonly changes: readonly Change[] }> {
  file.refuseLock();
  const lock = await resolveNow(file, engine);
  const changes = file.hasLock ? diffLocks(await file.readLock(), lock) : [];
  const text = formatJobLock(lock);
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
  return { lock, changes };
}

/** @param engine default: as when the job was locked */
export async function diffJob(file: JobFile, engine: EngineKind | undefined): Promise<readonly Change[]> {
  file.refuseLock();
  if (!file.hasLock) {
    const identity = { code: "lock-outdated", culprit: file.lockName } as const;
    throw new UserError(identity, `${file.lockName} does not exist.`, `Make it with \`${file.resolveCommand}\`.`);
  }
  const before = await file.readLock();
  // A base image that was not locked cannot have changed.
  const hadBase = environmentOf(before.deployment.interpreter)?.base !== undefined;
  return diffLocks(before, await resolveNow(file, engine ?? (hadBase ? "container" : "process")));
}

export async function resolveNow(file: JobFile, engine: EngineKind | undefined): Promise<JobLock> {
  const deployment = await file.read();
  return resolveDeployment(deployment, file.folder, {
    git: {},
    imageOf: (target) => imageOfTarget(target, process.env),
    needsImages: environmentOf(deployment.interpreter) !== undefined && needsImages(engine),
  });
}

export function formatChange({ field, before, after, because }: Change): string {
  const remark = because === undefined ? "" : ` (${because})`;
  return `${field}${remark}: ${before ?? "(nothing)"} -> ${after ?? "(nothing)"}`;
}
