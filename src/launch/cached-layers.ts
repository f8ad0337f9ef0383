import { formatBytes } from "../config/quantity.ts";
import { Failure } from "../core/errors.ts";
import type { LayerMetadata } from "../oci/layer.ts";
import type { BlobToPush } from "../registry/client/push.ts";
import { RemoteCache } from "../remote-cache/remote-cache.ts";

interface CachedLayer extends BlobToPush {
  readonly descriptor: LayerMetadata;
  readonly cache: RemoteCache;
  readonly target: string;
}

const caches = new Map<string, RemoteCache>();

/** @param address value of the build setting `remote_cache`. All layers of a cache share its connections */
export function cachedLayer(descriptor: LayerMetadata, address: string, target: string): CachedLayer {
  const cache = caches.get(address) ?? new RemoteCache(address, process.env);
  caches.set(address, cache);
  return {
    descriptor,
    open: (start, end) => cache.open(descriptor, start, end),
    origin: { kind: "cache", host: cache.address.host },
    cache,
    target,
  };
}

/** @throws Failure that names a layer that its cache lost, its target and what brings it back */
export async function checkCached(blobs: readonly BlobToPush[]): Promise<void> {
  const byCache = Map.groupBy(
    blobs.filter((blob): blob is CachedLayer => "cache" in blob),
    ({ cache }) => cache,
  );
  await Promise.all(
    Array.from(byCache, async ([cache, layers]) => {
      const missing = new Set(await cache.missing(layers.map(({ descriptor }) => descriptor)));
      const lost = layers.filter(({ descriptor }) => missing.has(descriptor));
      const [first] = lost;
      if (first) throw evicted(first, lost.length, layers.length);
    }),
  );
}

export async function closeCaches(): Promise<void> {
  await Promise.all(Array.from(caches.values(), (cache) => cache.close()));
  caches.clear();
}

function evicted({ descriptor, cache, target }: CachedLayer, count: number, asked: number): Failure {
  const { digest, size, comment } = descriptor;
  const { host } = cache.address;
  const name = comment === undefined ? "" : ` (${comment})`;
  const others = count === 1 ? "" : ` and ${count - 1} more`;
  const none =
    count === asked
      ? " If it never had them, set @slipway//bazel/settings:remote_cache to the cache of --remote_cache."
      : "";
  return new Failure(
    { code: "layer-evicted", culprit: digest },
    `The remote cache ${host} does not have layer ${digest}${name} of ${target}, ${formatBytes(size)}${others}.`,
    `Build it again: bazel build --output_groups=+layers ${target}. If Bazel answers "Missing digest", run that once more.${none}`,
  );
}
