import { type ArchiveName, archiveOf } from "./archive.ts";
import type { Lock } from "./lock.ts";
import type { Mirrors } from "./mirrors.ts";

/** Debian's archive of all versions that ever were. It gives for any moment the state that it saw last before. */
const host = "https://snapshot.debian.org";

/**
 * Hours between the making of a lock and the moment that it names. The archive looks at mirrors four times a day, so right now it may not have
 * seen what is newest; and a version that is replaced meanwhile stays in Debian's pool for more than a day.
 */
const delay = 12;

/** The moment at which the archive has what is newest now. */
export function snapshotOf(now: Date): string {
  const later = new Date(now.getTime() + delay * 3_600_000);
  return later.toISOString().replace(/[-:]|\.\d+/g, "");
}

/** Where the packages of a lock are for good. Empty for a lock that names no moment. */
export function snapshotArchives({ suites, snapshot }: Lock): Mirrors {
  if (snapshot === undefined) return {};
  const archives: Partial<Record<ArchiveName, string>> = {};
  for (const archive of suites.map(archiveOf)) archives[archive] = `${host}/archive/${archive}/${snapshot}`;
  return archives;
}
