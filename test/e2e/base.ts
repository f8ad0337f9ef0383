import { randomBytes } from "node:crypto";
import { header } from "../../src/layer/header.ts";
import { type Digest, sha256 } from "../../src/oci/digest.ts";
import { canonicalJson } from "../../src/oci/json.ts";
import { mediaTypes } from "../../src/oci/media-types.ts";
import type { RegistryClient } from "../../src/registry/client/client.ts";
import { pushImages } from "../../src/registry/client/push.ts";
import { blobOf } from "../../src/registry/client/testdata/images.ts";

/** A base image that was pushed. */
export interface Base {
  /** Of the index. */
  readonly digest: Digest;
  /** Of the layer that all its images have. */
  readonly layer: Digest;
}

/** Pushes an index of images for two processors with one layer of 3 MB that nobody else has, as `REPOSITORY:v1`. */
export async function pushBase(client: RegistryClient, repository: string): Promise<Base> {
  const content = randomBytes(3_000_000);
  const file = header({ type: "file", path: "usr/share/base", content: { bytes: content } }, content.length);
  const padding = Buffer.alloc((-content.length & 511) + 1024);
  const tar = Buffer.concat([file, content, padding]);
  const layer = blobOf(tar);
  const images = ["amd64", "arm64"].map((architecture) => {
    const config = canonicalJson({
      os: "linux",
      architecture,
      config: { Env: ["PATH=/bin"] },
      rootfs: { type: "layers", diff_ids: [layer.descriptor.digest] },
    });
    const manifest = canonicalJson({
      schemaVersion: 2,
      mediaType: mediaTypes.manifest,
      config: { mediaType: mediaTypes.config, digest: sha256(config), size: config.length },
      layers: [{ mediaType: mediaTypes.layer, ...layer.descriptor }],
    });
    return { architecture, config, manifest };
  });
  await pushImages(
    images.map(({ config, manifest }) => ({
      client,
      repository,
      tags: [],
      digest: sha256(manifest),
      read: async () => ({
        manifest: { bytes: manifest, mediaType: mediaTypes.manifest },
        blobs: [blobOf(config), layer],
      }),
    })),
    { check: "digest" },
  );
  const index = canonicalJson({
    schemaVersion: 2,
    mediaType: mediaTypes.index,
    manifests: images.map(({ architecture, manifest }) => ({
      mediaType: mediaTypes.manifest,
      digest: sha256(manifest),
      size: manifest.length,
      platform: { os: "linux", architecture },
    })),
  });
  await client.putManifest(repository, "v1", index, mediaTypes.index);
  return { digest: sha256(index), layer: layer.descriptor.digest };
}
