import { type ArchiveName, archiveOf } from "./archive.ts";
import type { Lock } from "./lock.ts";
import type { Mirrors } from "./mirrors.ts";

/** Debian's archive of all versions. For any moment, it gives the state that it saw last before. */
const host = "https://snapshot.debian.org";

/** The archive looks at mirrors every 6 hours, and a replaced version stays in Debian's pool for more than a day. */
const delay = 12;

export function snapshotOf(now: Date): string {
  const later = new Date(now.getTime() + delay * 3_600_000);
  return later.toISOString().replace(/[-:]|\.\d+/g, "");
}

/** The packages of a lock stay there for good. Empty for a lock that names no moment. */
export function snapshotArchives({ suites, snapshot }: Lock): Mirrors {
  if (snapshot === undefined) return {};
  const archives: Partial<Record<ArchiveName, string>> = {};
  for (const archive of suites.map(archiveOf)) archives[archive] = `${host}/archive/${archive}/${snapshot}`;
  return archives;
}
