import { createHash } from "node:crypto";
import { Readable } from "node:stream";
import { Failure } from "../core/errors.ts";
import { type ArchiveName, archiveOf } from "./archive.ts";
import type { ArchiveKey } from "./archive-keys.ts";
import { decompressAll } from "./decompress.ts";
import { formatLockedPackage, type Lock, type LockRequest, lockedPackage } from "./lock.ts";
import { PackageIndex } from "./package-index.ts";
import { type IndexFile, packagesIndex, parseRelease, type Release } from "./release.ts";
import { resolveClosure } from "./resolve.ts";
import { verifiedText } from "./signature.ts";
import { snapshotOf } from "./snapshot.ts";

/** `sha256` is unknown only for a suite's signed index, for which the default of `most` (bytes) is enough. */
export type FetchFile = (archive: ArchiveName, path: string, sha256?: string, most?: number) => Promise<Uint8Array>;

/** Bytes, as fetched and unpacked. Debian's largest has 10 and 65 MB. */
const maximumIndex = 32 * 1024 * 1024;
const maximumText = 160 * 1024 * 1024;

export interface LockOptions {
  /** Nothing it gives is trusted. Independent requests are made at once. */
  readonly fetch: FetchFile;
  readonly now: Date;
  /** Default: Debian's archive keys. */
  readonly keys?: readonly ArchiveKey[];
}

/** Verified: InRelease by the archive keys and its validity, by it the Packages index, by that each package. */
export async function makeLock(request: LockRequest, options: LockOptions): Promise<Lock> {
  const releases = await Promise.all(request.suites.map((suite) => fetchRelease(suite, options)));
  const files = releases.flatMap((release) =>
    request.components.map((component) => ({
      archive: archiveOf(release.suite),
      folder: `dists/${release.suite}`,
      file: packagesIndex(release, component, request.architecture),
    })),
  );
  const index = new PackageIndex();
  const texts = await Promise.all(files.map(({ archive, folder, file }) => fetchIndex(archive, folder, file, options)));
  for (const [i, text] of texts.entries()) index.add(text, (files[i] as (typeof files)[number]).archive);
  const closure = resolveClosure(index, request.packages, new Set(request.excluded));
  return {
    ...request,
    snapshot: snapshotOf(options.now),
    locked: closure.map(lockedPackage),
  };
}

/** An update that changes no package changes nothing. */
export function withOldSnapshot(made: Lock, old: Lock | undefined): Lock {
  const lines = ({ locked }: Lock) => locked.map(formatLockedPackage).join("\n");
  return old?.snapshot !== undefined && lines(old) === lines(made) ? { ...made, snapshot: old.snapshot } : made;
}

async function fetchRelease(suite: string, { fetch, now, keys }: LockOptions): Promise<Release> {
  const path = `dists/${suite}/InRelease`;
  const text = Buffer.from(await fetch(archiveOf(suite), path)).toString("utf8");
  return parseRelease(await verifiedText(text, path, keys === undefined ? { now } : { now, keys }), suite, now);
}

async function fetchIndex(
  archive: ArchiveName,
  folder: string,
  file: IndexFile,
  { fetch }: LockOptions,
): Promise<string> {
  const path = `${folder}/${file.path}`;
  const bytes = await fetch(archive, path, file.sha256, maximumIndex);
  if (createHash("sha256").update(bytes).digest("hex") !== file.sha256) {
    throw new Failure(
      { code: "repository-failed", culprit: path },
      `${path} on the mirror is not the file that the signed index names.`,
      "Try again in some minutes, because the mirror may be updating, or use another mirror.",
    );
  }
  return (await decompressAll(path, () => Readable.from([bytes]), maximumText)).toString("utf8");
}
