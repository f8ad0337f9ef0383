import { chmodSync, mkdirSync, mkdtempSync, readdirSync, rmSync, statSync } from "node:fs";
import { join } from "node:path";
import type { Environment } from "../core/environment.ts";
import { Failure } from "../core/errors.ts";
import { isRunning } from "../core/processes.ts";
import { cacheFolder } from "../core/user-folders.ts";
import type { Digest } from "../oci/digest.ts";

/** Milliseconds after which the folder of a process that is gone is removed. */
const abandonedAfter = 60 * 60_000;

/** Makes a folder for the content of files. Only this user can enter it, and users of containers can write to it. */
export function makeFilesFolder(env: Environment): string {
  const all = join(cacheFolder(env), "files");
  mkdirSync(all, { recursive: true });
  chmodSync(all, 0o700);
  removeAbandoned(all);
  const folder = mkdtempSync(join(all, `${process.pid}-`));
  chmodSync(folder, 0o777);
  return folder;
}

function removeAbandoned(all: string): void {
  for (const name of readdirSync(all)) {
    const folder = join(all, name);
    const age = Date.now() - (statSync(folder, { throwIfNoEntry: false })?.mtimeMs ?? 0);
    if (age < abandonedAfter || isRunning(Number.parseInt(name, 10))) continue;
    rmSync(folder, { recursive: true, force: true });
  }
}

export function lost(digest: Digest): Failure {
  return new Failure(
    { code: "content-lost", culprit: digest },
    `The content ${digest} of a function's file is not on this machine, and was not stored in a registry.`,
    "Call the function that made it again.",
  );
}
