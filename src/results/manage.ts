import type { Digest } from "../oci/digest.ts";
import { digestOfTag, storedAt } from "./file.ts";
import { inParallel, type ResultPlace, resultsOf } from "./read.ts";
import { parseRun, type StoredRun, scopeOfTag } from "./run.ts";

export interface ListedRun extends StoredRun {
  readonly tag: string;
  readonly digest: Digest;
  readonly items: number;
  /** Bytes of its packs. */
  readonly size: number;
}

export async function listResults({ client, repository }: ResultPlace): Promise<ListedRun[]> {
  const tags = (await client.listTags(repository)).filter((tag) => scopeOfTag(tag) !== undefined);
  const listed = await inParallel(tags, async (tag): Promise<ListedRun[]> => {
    const manifest = await client.getManifest(repository, tag);
    const run = manifest && parseRun(tag, manifest.bytes);
    if (run === undefined || typeof run === "string") return [];
    const items = run.packs.reduce((sum, pack) => sum + pack.items, 0);
    const size = run.packs.reduce((sum, { descriptor }) => sum + descriptor.size, 0);
    return [{ ...run, tag, digest: manifest?.descriptor.digest as Digest, items, size }];
  });
  return listed.flat().sort((one, other) => one.stored.getTime() - other.stored.getTime());
}

/** A run that goes on stores its results again. */
export async function removeResults(place: ResultPlace, runs: readonly ListedRun[]): Promise<void> {
  await inParallel(runs, ({ digest }) => place.client.deleteManifest(place.repository, digest));
}

export interface StoredFile {
  readonly tag: string;
  readonly digest: Digest;
  readonly stored: Date;
}

/** Stored before a date and named by no result of the `runs` that stay. */
export async function unnamedFiles(
  place: ResultPlace,
  runs: readonly ListedRun[],
  before: Date,
): Promise<StoredFile[]> {
  const { client, repository } = place;
  const tags = (await client.listTags(repository)).filter((tag) => digestOfTag(tag) !== undefined);
  const files = await inParallel(tags, async (tag): Promise<StoredFile[]> => {
    const manifest = await client.getManifest(repository, tag);
    const stored = manifest && storedAt(tag, manifest.bytes);
    return stored && stored < before ? [{ tag, digest: manifest.descriptor.digest, stored }] : [];
  });
  const old = files.flat();
  if (old.length === 0) return [];
  const named = new Set<string>();
  for (const run of runs) {
    // Whatever looks like a digest counts.
    for (const { result } of await resultsOf(place, run.tag, run))
      for (const [digest] of result.matchAll(/sha256:[0-9a-f]{64}/g)) named.add(digest);
  }
  return old.filter(({ tag }) => !named.has(digestOfTag(tag) ?? ""));
}

/** Their content goes with the registry's next garbage collection. */
export async function removeFiles({ client, repository }: ResultPlace, files: readonly StoredFile[]): Promise<void> {
  await inParallel(files, ({ digest }) => client.deleteManifest(repository, digest));
}

interface PruneLimits {
  /** Removes runs that stored nothing since then. */
  readonly before?: Date;
  /** Bytes that may stay: the oldest runs go first. */
  readonly bytes?: number;
}

export function beyondLimits(runs: readonly ListedRun[], { before, bytes }: PruneLimits): ListedRun[] {
  let left = runs.reduce((sum, { size }) => sum + size, 0);
  return runs
    .toSorted((one, other) => one.stored.getTime() - other.stored.getTime())
    .filter(({ stored, size }) => {
      const isGone = (before !== undefined && stored < before) || (bytes !== undefined && left > bytes);
      if (isGone) left -= size;
      return isGone;
    });
}
