import { UserError } from "../oci/errors.ts";
import { type AptSource, mirrorFor } from "./apt_sources.ts";
import { type ArchiveName, archiveOf } from "./archive.ts";

/** The address of each archive, without a `/` at the end. */
export type Mirrors = Readonly<Partial<Record<ArchiveName, string>>>;

/**
 * Where the archives of some suites are: on the mirror that is given, else on those that apt's sources name. Mirrors carry the security archive
 * beside the main one, so that `http://HOST/debian` tells both.
 *
 * @param mirror address of the main archive, ending in `/debian` where a security suite is among `suites`; empty for apt's
 * @throws UserError with the line to write when no mirror is known
 */
export function findMirrors(suites: readonly string[], mirror: string, sources: readonly AptSource[]): Mirrors {
  const mirrors: Partial<Record<ArchiveName, string>> = {};
  for (const suite of suites) {
    const archive = archiveOf(suite);
    if (mirrors[archive] !== undefined) continue;
    if (mirror !== "") mirrors[archive] = archive === "debian" ? trimmed(mirror) : securityBeside(mirror);
    else {
      const named = mirrorFor(suite, sources);
      const main = suites.map((other) => mirrorFor(other, sources)).find((url) => url?.endsWith("/debian"));
      const found = named ?? (main === undefined ? undefined : securityBeside(main));
      if (found === undefined) throw noMirror(suite);
      mirrors[archive] = found;
    }
  }
  return mirrors;
}

function trimmed(url: string): string {
  return url.replace(/\/+$/, "");
}

function securityBeside(mirror: string): string {
  const url = trimmed(mirror);
  if (url.endsWith("/debian")) return `${url}-security`;
  throw new UserError(
    `The mirror ${redacted(url)} does not end in /debian, so its security archive cannot be found.`,
    "Give a mirror whose address ends in /debian and that carries debian-security beside it, or leave the -security suite out.",
  );
}

/** An address without user and password, for people's eyes. */
export function redacted(url: string): string {
  return url.replace(/^([a-z+]+:\/\/)[^/@]*@/i, "$1");
}

function noMirror(suite: string): UserError {
  return new UserError(
    `No Debian mirror is known for ${suite}: the apt sources of this machine, if it has any, name none.`,
    'Add mirror = "https://HOST/debian" to the base_images.debian(...) of this image, or --mirror=https://HOST/debian to the command. ' +
      "https://www.debian.org/mirror/list has hosts.",
  );
}
