import { randomUUID } from "node:crypto";
import { existsSync } from "node:fs";
import { chmod, lstat, mkdir, readdir, realpath, rm, stat } from "node:fs/promises";
import { join, sep } from "node:path";
import { UserError } from "../core/errors.ts";
import { type Lock, takeLock } from "../core/lock.ts";

/** Makes everything read-only, since checkouts are shared. */
export async function sealTree(folder: string): Promise<void> {
  for (const entry of await readdir(folder, { withFileTypes: true })) {
    const path = join(folder, entry.name);
    if (entry.isDirectory()) await sealTree(path);
    else if (entry.isFile()) await chmod(path, (await lstat(path)).mode & 0o100 ? 0o555 : 0o444);
  }
  await chmod(folder, 0o555);
}

/** Removes a folder, sealed or not, if there is one. */
export async function removeTree(folder: string): Promise<void> {
  await unseal(folder);
  await rm(folder, { recursive: true, force: true, maxRetries: 3 });
}

async function unseal(folder: string): Promise<void> {
  const status = await lstat(folder).catch(() => undefined);
  if (!status?.isDirectory()) return;
  await chmod(folder, 0o700);
  for (const entry of await readdir(folder, { withFileTypes: true })) {
    if (entry.isDirectory()) await unseal(join(folder, entry.name));
  }
}

/** Gives `work` a new folder, which it moves away or loses. Also removes those of processes that have ended. */
export async function withDraft<Result>(folder: string, work: (draft: string) => Promise<Result>): Promise<Result> {
  await mkdir(folder, { recursive: true, mode: 0o700 });
  for (const name of await readdir(folder)) {
    if (!name.endsWith(".lock")) continue;
    const lock = takeLock(join(folder, name));
    if (lock) await removeDraft(folder, name.slice(0, -".lock".length)).finally(() => lock.release());
  }
  const { name, lock } = lockedName(folder);
  try {
    const draft = join(folder, name);
    await mkdir(draft, { mode: 0o700 });
    return await work(draft);
  } finally {
    await removeDraft(folder, name);
    lock.release();
  }
}

/** An unused name, with its lock. */
function lockedName(folder: string): { readonly name: string; readonly lock: Lock } {
  for (;;) {
    const name = randomUUID();
    const path = join(folder, `${name}.lock`);
    const lock = takeLock(path);
    if (lock && existsSync(path)) return { name, lock };
    // Another process removed the file before it was locked.
    lock?.release();
  }
}

async function removeDraft(folder: string, name: string): Promise<void> {
  await removeTree(join(folder, name));
  await rm(join(folder, `${name}.lock`), { force: true });
}

/** The real path of something in a folder. @throws UserError if a path or a symbolic link leads out of it */
export async function resolveInside(
  folder: string,
  path: string,
  kind: "file" | "folder",
  subject: string,
): Promise<string> {
  const invalid = (problem: string, remedy: string, cause?: unknown) =>
    new UserError({ code: "code-invalid", culprit: path }, `${subject}: ${JSON.stringify(path)} ${problem}.`, remedy, {
      cause,
    });
  const root = await realpath(folder);
  const target = await realpath(join(root, path)).catch((cause: NodeJS.ErrnoException) => {
    const problem = cause.code === "ELOOP" ? "is a symbolic link to itself" : "does not exist in the code";
    throw invalid(problem, `Name a ${kind} of the code.`, cause);
  });
  if (target !== root && !target.startsWith(`${root}${sep}`)) {
    throw invalid("leads out of the code", "Name a path inside the code; symbolic links must stay inside too.");
  }
  const status = await stat(target);
  if (kind === "folder" ? status.isDirectory() : status.isFile()) return target;
  throw invalid(`is not a ${kind}`, `Name a ${kind} of the code.`);
}
