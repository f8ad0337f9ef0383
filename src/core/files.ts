import { open, rename, rm } from "node:fs/promises";
import { dirname, join } from "node:path";

/** Makes the entries of a folder survive a power failure. */
export async function syncFolder(path: string): Promise<void> {
  const handle = await open(path, "r");
  try {
    await handle.sync();
  } finally {
    await handle.close();
  }
}

/**
 * Replaces a file atomically: readers see the old or the new bytes, also after a crash. The folder must exist.
 *
 * @param temporary folder on the same file system for the temporary file
 * @param mode mode of the new file, before the umask
 */
export async function replaceFile(
  path: string,
  bytes: Uint8Array | string,
  temporary = dirname(path),
  mode = 0o600,
): Promise<void> {
  const draft = join(temporary, `.${crypto.randomUUID()}`);
  try {
    const handle = await open(draft, "wx", mode);
    try {
      await handle.writeFile(bytes);
      await handle.sync();
    } finally {
      await handle.close();
    }
    await rename(draft, path);
  } catch (error) {
    await rm(draft, { force: true });
    throw error;
  }
  await syncFolder(dirname(path));
}
