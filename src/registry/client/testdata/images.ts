import { Readable } from "node:stream";
import { type Digest, sha256 } from "../../../oci/digest.ts";
import { canonicalJson } from "../../../oci/json.ts";
import { mediaTypes } from "../../../oci/media-types.ts";
import type { RegistryClient } from "../client.ts";
import type { BlobToPush, ImageToPush } from "../push.ts";
import type { RetryPolicy } from "../retry.ts";

/** Waits that a test does not notice. */
export const quickRetry: RetryPolicy = {
  attempts: 6,
  budget: 5_000,
  firstDelay: 1,
  maximumDelay: 5,
  firstContactBudget: 500,
};

export function blobOf(bytes: Uint8Array, mountFrom?: string): BlobToPush {
  return {
    descriptor: { digest: sha256(bytes), size: bytes.length },
    open: (start, end) => Readable.from(pieces(bytes.subarray(start, end)), { objectMode: false }),
    mountFrom,
  };
}

function* pieces(bytes: Uint8Array): Generator<Uint8Array> {
  for (let at = 0; at < bytes.length; at += 65536) yield bytes.subarray(at, at + 65536);
}

/** An image of the given layers, with a configuration that names them. */
export function imageOf(
  client: RegistryClient,
  options: { repository: string; tags?: string[]; layers: (Uint8Array | string)[]; mountFrom?: string },
): ImageToPush & { manifest: Uint8Array; digest: Digest } {
  const layers = options.layers.map((layer) => blobOf(Buffer.from(layer), options.mountFrom));
  const config = canonicalJson({
    os: "linux",
    architecture: "amd64",
    layers: layers.map((each) => each.descriptor.digest),
  });
  const manifest = canonicalJson({
    schemaVersion: 2,
    mediaType: mediaTypes.manifest,
    config: { mediaType: mediaTypes.config, digest: sha256(config), size: config.length },
    layers: layers.map((each) => ({ mediaType: mediaTypes.layerGzip, ...each.descriptor })),
  });
  return {
    client,
    repository: options.repository,
    tags: options.tags ?? [],
    digest: sha256(manifest),
    manifest,
    read: async () => ({
      manifest: { bytes: manifest, mediaType: mediaTypes.manifest },
      blobs: [blobOf(config), ...layers],
    }),
  };
}
