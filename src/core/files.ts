import { mkdir, open, rename, rm, stat, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { atPath } from "./system-error.ts";

/** Creates a folder and its parents, if missing. Node's own `recursive` never returns below `/proc`. */
export async function makeFolders(path: string, mode?: number): Promise<void> {
  const make = () =>
    mkdir(path, mode).catch(async (error: NodeJS.ErrnoException) => {
      if (error.code !== "EEXIST" || !(await stat(path).catch(() => undefined))?.isDirectory()) throw error;
    });
  await make().catch(async (error: NodeJS.ErrnoException) => {
    if (error.code !== "ENOENT" || dirname(path) === path) throw error;
    await makeFolders(dirname(path), mode);
    await make();
  });
}

/** Makes the entries of a folder survive a power failure. */
export async function syncFolder(path: string): Promise<void> {
  await using handle = await open(path, "r");
  await handle.sync();
}

/** Replaces a file atomically, also if the machine crashes. `temporary` must be on the same file system. */
export async function replaceFile(path: string, bytes: Uint8Array | string, temporary = dirname(path), mode = 0o600) {
  await replaceWith(path, temporary, (draft) => writeFile(draft, bytes, { flag: "wx", mode, flush: true }));
}

/** As {@link replaceFile}, with a function that writes the temporary file and syncs it. */
export async function replaceWith(path: string, temporary: string, write: (draft: string) => Promise<void>) {
  const draft = join(temporary, `.${crypto.randomUUID()}`);
  try {
    await write(draft);
    await rename(draft, path);
  } catch (error) {
    await rm(draft, { force: true });
    throw atPath(error, path);
  }
  await syncFolder(dirname(path));
}
