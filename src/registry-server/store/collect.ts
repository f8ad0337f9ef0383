import { statSync, unlinkSync } from "node:fs";
import { join } from "node:path";
import { UserError } from "../../core/errors.ts";
import { type Digest, isDigest } from "../../oci/digest.ts";
import { isIndex, parseManifest } from "../../oci/manifest.ts";
import { digestsIn, namesIn, type StoreLayout } from "./layout.ts";
import type { ManifestStore } from "./manifests.ts";
import { listRepositories } from "./repositories.ts";

/** Milliseconds that unused data is kept. */
export const graceOf = {
  /** Clients can resume an upload for a day. */
  upload: 24 * 60 * 60 * 1000,
  /** A push checks for existing blobs long before its manifest refers to them. */
  blob: 60 * 60 * 1000,
  /** An untagged image may still be used by its digest. */
  manifest: 7 * 24 * 60 * 60 * 1000,
} as const;

export interface Collected {
  readonly uploads: number;
  readonly manifests: number;
  readonly blobs: number;
  readonly bytes: number;
  /** Nothing was removed there: a damaged manifest does not tell what it needs. */
  readonly skipped: readonly { readonly repository: string; readonly problem: string }[];
}

export interface CollectOptions {
  readonly now: () => number;
  readonly signal?: AbortSignal;
  /** Milliseconds since the epoch. Default: after the times of {@link graceOf}. */
  readonly unusedSince?: number | undefined;
}

/**
 * Removes abandoned uploads, manifests that nothing refers to and nobody read for a week, tags that attach to a lost
 * image, then content without a manifest. Safe during requests, see {@link BlobStore}.
 */
export async function collectGarbage(
  layout: StoreLayout,
  manifests: ManifestStore,
  { now, signal, unusedSince }: CollectOptions,
): Promise<Collected> {
  const skipped: { repository: string; problem: string }[] = [];
  const total = { uploads: 0, manifests: 0, blobs: 0, bytes: 0, skipped };
  const removeOld = (path: string, kind: keyof typeof graceOf) =>
    removeIfOlder(path, unusedSince ?? now() - graceOf[kind]);

  const linked = new Set<Digest>();
  const collectRepository = async (repository: string): Promise<void> => {
    const kept = new Set<Digest>();
    for (const tag of await manifests.tags(repository)) {
      const subject = subjectOf(tag);
      const isLost = subject && !statSync(layout.manifest(repository, subject), { throwIfNoEntry: false });
      if (isLost && removeOld(layout.tag(repository, tag), "manifest") !== undefined) continue;
      const digest = await manifests.resolve(repository, tag);
      if (digest) await keep(repository, digest, kept, manifests, signal);
    }
    const loose = (await manifests.list(repository)).filter((digest) => !kept.has(digest));
    for (const digest of loose) {
      if (removeOld(layout.manifest(repository, digest), "manifest") === undefined)
        await keep(repository, digest, kept, manifests, signal);
      else total.manifests += 1;
    }
    for (const digest of await digestsIn(layout.blobLinks(repository))) {
      if (kept.has(digest) || removeOld(layout.blobLink(repository, digest), "blob") === undefined) linked.add(digest);
    }
    for (const digest of await manifests.list(repository)) linked.add(digest);
  };
  for (const repository of await listRepositories(layout)) {
    for (const id of await namesIn(layout.uploads(repository))) {
      const bytes = removeOld(layout.upload(repository, id), "upload");
      if (bytes === undefined) continue;
      total.uploads += 1;
      total.bytes += bytes;
    }
    try {
      await collectRepository(repository);
    } catch (error) {
      signal?.throwIfAborted();
      skipped.push({ repository, problem: error instanceof UserError ? error.problem : (error as Error).message });
      for (const digest of await digestsIn(layout.blobLinks(repository))) linked.add(digest);
      for (const digest of await manifests.list(repository)) linked.add(digest);
    }
    await removeStaleReferrers(layout, repository, unusedSince ?? now() - graceOf.blob);
  }
  for (const algorithm of await namesIn(layout.blobs)) {
    for (const hex of await namesIn(join(layout.blobs, algorithm))) {
      const digest = `${algorithm}:${hex}`;
      if (isDigest(digest) && linked.has(digest)) continue;
      const bytes = removeOld(join(layout.blobs, algorithm, hex), "blob");
      if (bytes === undefined) continue;
      total.blobs += 1;
      total.bytes += bytes;
    }
  }
  return total;
}

/** Distribution specification, "Referrers Tag Schema"; cosign's "Tag-based Discovery". */
function subjectOf(tag: string): Digest | undefined {
  const hex = /^sha256-([0-9a-f]{64})(\.(sig|att|sbom))?$/.exec(tag)?.[1];
  return hex === undefined ? undefined : `sha256:${hex}`;
}

/** Synchronous, so that no request runs in between. Returns the file's bytes, or undefined if it stays. */
function removeIfOlder(path: string, youngest: number): number | undefined {
  const status = statSync(path, { throwIfNoEntry: false });
  if (!status?.isFile() || status.mtimeMs > youngest) return undefined;
  unlinkSync(path);
  return status.size;
}

/** With its content and its referrers, however deep. */
async function keep(
  repository: string,
  first: Digest,
  kept: Set<Digest>,
  manifests: ManifestStore,
  signal: AbortSignal | undefined,
): Promise<void> {
  const open = [first];
  for (let digest = open.pop(); digest !== undefined; digest = open.pop()) {
    if (kept.has(digest)) continue;
    signal?.throwIfAborted();
    kept.add(digest);
    const stored = await manifests.peek(repository, digest);
    if (!stored) continue;
    const manifest = parseManifest(stored.bytes, { mediaType: stored.mediaType });
    if (isIndex(manifest)) for (const child of manifest.manifests) open.push(child.digest);
    else for (const part of [manifest.config, ...manifest.layers]) kept.add(part.digest);
    for (const referrer of await manifests.referrers(repository, digest)) open.push(referrer.digest);
  }
}

async function removeStaleReferrers(layout: StoreLayout, repository: string, youngest: number): Promise<void> {
  const folder = join(layout.repository(repository), "_referrers");
  for (const subject of await digestsIn(folder)) {
    for (const digest of await digestsIn(layout.referrers(repository, subject))) {
      const manifest = statSync(layout.manifest(repository, digest), { throwIfNoEntry: false });
      if (!manifest) removeIfOlder(layout.referrer(repository, subject, digest), youngest);
    }
  }
}
