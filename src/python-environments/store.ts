import { randomUUID } from "node:crypto";
import { existsSync } from "node:fs";
import { mkdir, readdir, readlink, rename, rm, symlink } from "node:fs/promises";
import { join } from "node:path";
import type { Environment } from "../core/environment.ts";
import { syncFolder } from "../core/files.ts";
import { heartbeat, patience } from "../core/heartbeat.ts";
import { waitForLock } from "../core/lock.ts";
import { cacheFolder } from "../core/user-folders.ts";

export function environmentsFolder(env: Environment): string {
  return join(cacheFolder(env), "environments");
}

/**
 * Environments contain their own path, so each is built in place under a random name, and a link by its key makes it
 * the one in use. Waits for another builder, and removes what a killed one left.
 *
 * @param build fills `folder`; `temporary` is removed afterwards
 */
export async function builtOnce(
  root: string,
  key: string,
  isWhole: (folder: string) => boolean,
  build: (folder: string, temporary: string) => Promise<void>,
): Promise<string> {
  const link = join(root, key);
  const known = await target(root, link);
  if (known && isWhole(known)) return known;
  await mkdir(root, { recursive: true, mode: 0o700 });
  using _notice = heartbeat("an environment is being made, or waited for", { after: patience });
  using _lock = await waitForLock(join(root, `${key}.lock`));
  const meanwhile = await target(root, link);
  if (meanwhile && isWhole(meanwhile)) return meanwhile;
  await removeOthers(root, key);
  const name = `${key.slice(0, 16)}-${randomUUID().slice(0, 8)}`;
  const [folder, temporary] = [join(root, name), join(root, `${name}.tmp`)];
  await Promise.all([mkdir(folder, { mode: 0o700 }), mkdir(temporary, { mode: 0o700 })]);
  try {
    await build(folder, temporary);
    await symlink(name, `${folder}.link`);
    await rename(`${folder}.link`, link);
    await syncFolder(root);
  } catch (error) {
    await rm(folder, { recursive: true, force: true, maxRetries: 3 });
    throw error;
  } finally {
    await rm(temporary, { recursive: true, force: true, maxRetries: 3 });
  }
  return folder;
}

async function target(root: string, link: string): Promise<string | undefined> {
  const name = await readlink(link).catch(() => undefined);
  return name !== undefined && existsSync(join(root, name)) ? join(root, name) : undefined;
}

/** Removes earlier environments of a key, complete or not. Only the holder of the lock may call it. */
async function removeOthers(root: string, key: string): Promise<void> {
  const prefix = `${key.slice(0, 16)}-`;
  for (const name of await readdir(root)) {
    if (name.startsWith(prefix)) await rm(join(root, name), { recursive: true, force: true, maxRetries: 3 });
  }
}
