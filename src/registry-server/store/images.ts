import { UserError } from "../../core/errors.ts";
import type { Digest } from "../../oci/digest.ts";
import { checkIndexDepth, isIndex, parseManifest } from "../../oci/manifest.ts";
import type { StoreLayout } from "./layout.ts";
import type { ManifestStore } from "./manifests.ts";
import { listRepositories } from "./repositories.ts";

/** A tag, or a manifest without one, for `slipway registry ls`. */
export interface ListedImage {
  readonly repository: string;
  readonly tag?: string;
  /** Undefined: the tag is damaged. */
  readonly digest?: Digest;
  /** Bytes of manifest, configuration and layers; of all different images together for an index. 0: see `problem`. */
  readonly size: number;
  readonly problem?: string;
}

interface Measure {
  size: number;
  /** Of the indexes in it. */
  depth: number;
  failure?: Error;
}

/** By repository and tag, those without a tag last. A damaged one hides no other. */
export async function listImages(
  layout: StoreLayout,
  manifests: ManifestStore,
  signal?: AbortSignal,
): Promise<ListedImage[]> {
  const images: ListedImage[] = [];
  for (const repository of await listRepositories(layout)) {
    const measured = new Map<Digest, Measure>();
    // Once per manifest: indexes can name each other so often that their images are countless.
    const measure = async (digest: Digest): Promise<Measure> => {
      const known = measured.get(digest);
      if (known?.failure) throw known.failure;
      if (known) return known;
      signal?.throwIfAborted();
      // In a damaged store, an index can contain itself.
      const own: Measure = { size: 0, depth: Number.POSITIVE_INFINITY };
      measured.set(digest, own);
      try {
        return Object.assign(own, await read(digest));
      } catch (failure) {
        own.failure = failure as Error;
        throw failure;
      }
    };
    const read = async (digest: Digest): Promise<Measure> => {
      const stored = await manifests.peek(repository, digest);
      if (!stored) return { size: 0, depth: 0 };
      const manifest = parseManifest(stored.bytes, { mediaType: stored.mediaType });
      let size = stored.bytes.length;
      let depth = 0;
      if (!isIndex(manifest)) for (const part of [manifest.config, ...manifest.layers]) size += part.size;
      else
        for (const child of new Set(manifest.manifests.map((each) => each.digest))) {
          const inside = await measure(child);
          size += inside.size;
          depth = Math.max(depth, inside.depth + 1);
        }
      return { size, depth };
    };
    const sizeOf = async (digest: Digest): Promise<number> => {
      const { size, depth } = await measure(digest);
      checkIndexDepth(depth, `${repository}@${digest}`);
      return size;
    };
    const add = async (named: { readonly tag?: string }, find: () => Promise<Digest | undefined>): Promise<void> => {
      let digest: Digest | undefined;
      try {
        digest = await find();
        if (digest) images.push({ repository, ...named, digest, size: await sizeOf(digest) });
      } catch (error) {
        signal?.throwIfAborted();
        images.push({
          repository,
          ...named,
          ...(digest && { digest }),
          size: 0,
          problem: error instanceof UserError ? error.problem : (error as Error).message,
        });
      }
      if (digest) seen.add(digest);
    };
    const seen = new Set<Digest>();
    for (const tag of await manifests.tags(repository)) await add({ tag }, () => manifests.resolve(repository, tag));
    for (const digest of await manifests.list(repository)) if (!seen.has(digest)) await add({}, async () => digest);
  }
  return images;
}
