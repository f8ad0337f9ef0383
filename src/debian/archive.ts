/** One of Debian's archives: a folder with `dists/` and `pool/` that mirrors carry under this name. */
export type ArchiveName = "debian" | "debian-security";

/** The archive that has a suite: security updates live in one of their own. */
export function archiveOf(suite: string): ArchiveName {
  return suite.endsWith("-security") ? "debian-security" : "debian";
}
