import { existsSync } from "node:fs";
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import type { ArchiveName } from "../archive.ts";
import { formatLock, formatLockedPackage, type Lock } from "../lock.ts";
import { makeLock } from "../update_lock.ts";

/** What to do next: fetch files into the folder and ask again, or take the new lock. */
export type Relocked =
  | { readonly fetch: readonly { readonly archive: ArchiveName; readonly path: string; readonly sha256: string }[] }
  | { readonly lock: string; readonly locked: Lock["locked"]; readonly changed: readonly string[] };

/**
 * Locks the newest packages for what `lock` was made for, from files that somebody else fetches (Bazel's downloader, which knows proxies, caches
 * and credentials): `FOLDER/ARCHIVE/PATH`.
 *
 * @returns the files that are missing, or the new lock, its packages, and the lines that differ
 */
export async function relock(
  lock: Lock,
  folder: string,
  now: Date,
  keys?: Parameters<typeof makeLock>[1]["keys"],
): Promise<Relocked> {
  const missing: { archive: ArchiveName; path: string; sha256: string }[] = [];
  const fetch = async (archive: ArchiveName, path: string, sha256 = "") => {
    const file = join(folder, archive, path);
    if (!existsSync(file)) missing.push({ archive, path, sha256 });
    return readFile(file);
  };
  const { locked, ...request } = lock;
  try {
    const made = await makeLock(request, keys === undefined ? { fetch, now } : { fetch, now, keys });
    const before = new Set(locked.map(formatLockedPackage));
    const lines = made.locked.map(formatLockedPackage);
    return { lock: formatLock(made), locked: made.locked, changed: lines.filter((line) => !before.has(line)) };
  } catch (error) {
    if (missing.length > 0) return { fetch: missing };
    throw error;
  }
}
