import { UserError } from "../core/errors.ts";
import { type AptSource, mirrorFor } from "./apt-sources.ts";
import { type ArchiveName, archiveOf } from "./archive.ts";

/** Without a final `/`. */
export type Mirrors = Readonly<Partial<Record<ArchiveName, string>>>;

/** The given mirror, else apt's. The security archive is beside the main one, so `http://HOST/debian` tells both. */
export function findMirrors(suites: readonly string[], mirror: string, sources: readonly AptSource[]): Mirrors {
  const mirrors: Partial<Record<ArchiveName, string>> = {};
  for (const suite of suites) {
    const archive = archiveOf(suite);
    mirrors[archive] ??= withoutPassword(
      mirror === "" ? fromSources(suite, suites, sources) : onMirror(archive, mirror),
    );
  }
  return mirrors;
}

function fromSources(suite: string, suites: readonly string[], sources: readonly AptSource[]): string {
  const named = mirrorFor(suite, sources);
  if (named !== undefined) return named;
  const main = suites.map((other) => mirrorFor(other, sources)).find((url) => url?.endsWith("/debian"));
  if (main === undefined) throw noMirror(suite);
  return onMirror(archiveOf(suite), main);
}

function onMirror(archive: ArchiveName, mirror: string): string {
  const url = withoutPassword(mirror.replace(/\/+$/, ""));
  if (archive === "debian") return url;
  if (url.endsWith("/debian")) return `${url}-security`;
  throw new UserError(
    { code: "mirror-invalid", culprit: url },
    `The address of the mirror ${url} does not end in /debian, so Slipway cannot find its security archive.`,
    "Use a mirror that ends in /debian and has debian-security beside it, or leave out the -security suite.",
  );
}

/** What Bazel prints ends up in logs. */
function withoutPassword(url: string): string {
  if (!/^[a-z+]+:\/\/[^/]*@/i.test(url)) return url;
  const culprit = url.replace(/\/\/[^/]*@/, "//");
  throw new UserError(
    { code: "mirror-invalid", culprit },
    `The address of the Debian mirror ${culprit} contains a user or password, which would end up in logs.`,
    "Move them into ~/.netrc, where Bazel and apt find them by the host.",
  );
}

function noMirror(suite: string): UserError {
  return new UserError(
    { code: "mirror-invalid", culprit: suite },
    `No Debian mirror is known for ${suite}: the apt sources of this machine name none.`,
    'Add mirror = "https://HOST/debian" to the base_images.debian(...) of this image, or --mirror=https://HOST/debian to the command; ' +
      "https://www.debian.org/mirror/list lists hosts.",
  );
}
