import type { Descriptor } from "./descriptor.ts";
import { type Digest, splitDigest } from "./digest.ts";
import { canonicalJson } from "./json.ts";
import type { ImageManifest } from "./manifest.ts";
import { mediaTypes } from "./media-types.ts";
import { formatReference, type Reference } from "./reference.ts";

/** OCI image specification, "Image Layout", `blobs`. */
export function blobPath(digest: Digest): string {
  const { algorithm, hex } = splitDigest(digest);
  return `blobs/${algorithm}/${hex}`;
}

/** Without the blobs. */
export function layoutFiles(descriptor: Descriptor): ReadonlyMap<string, Uint8Array<ArrayBuffer>> {
  const index = { schemaVersion: 2, mediaType: mediaTypes.index, manifests: [descriptor] };
  return new Map([
    ["oci-layout", canonicalJson({ imageLayoutVersion: "1.0.0" })],
    ["index.json", canonicalJson(index)],
  ]);
}

/** Without the blobs. An OCI layout that is also docker's archive, so that all engines and skopeo read it. */
export function archiveFiles(image: {
  readonly descriptor: Descriptor;
  readonly manifest: ImageManifest;
  readonly name: string;
  readonly reference: Reference;
}): ReadonlyMap<string, Uint8Array<ArrayBuffer>> {
  const { descriptor, manifest, name, reference } = image;
  const annotations = {
    "io.containerd.image.name": formatReference(reference),
    ...(reference.tag === undefined ? {} : { "org.opencontainers.image.ref.name": reference.tag }),
  };
  const dockerManifest = canonicalJson([
    {
      Config: blobPath(manifest.config.digest),
      RepoTags: [name],
      Layers: manifest.layers.map((layer) => blobPath(layer.digest)),
    },
  ]);
  return new Map([
    ["manifest.json", dockerManifest],
    ...layoutFiles({ ...descriptor, annotations: { ...descriptor.annotations, ...annotations } }),
  ]);
}
