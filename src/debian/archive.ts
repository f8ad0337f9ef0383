/** A folder with `dists/` and `pool/` that mirrors carry under this name. */
export type ArchiveName = "debian" | "debian-security";

/** Security updates have their own archive. */
export function archiveOf(suite: string): ArchiveName {
  return suite.endsWith("-security") ? "debian-security" : "debian";
}
