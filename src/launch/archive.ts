import { header, paddingOf, trailerSize } from "../layer/header.ts";
import type { Descriptor } from "../oci/descriptor.ts";
import { archiveFiles, blobPath } from "../oci/layout.ts";
import type { ImageManifest } from "../oci/manifest.ts";
import { parseReference } from "../oci/reference.ts";
import type { BlobToPush } from "../registry/client/push.ts";

export interface ArchivedImage {
  readonly descriptor: Descriptor;
  readonly manifest: ImageManifest;
  readonly manifestBytes: Uint8Array;
  readonly configBytes: Uint8Array;
  readonly layers: readonly BlobToPush[];
}

/** Podman and docker can load it. Needs no temporary file. @param name `NAME:TAG` */
export async function* archive(image: ArchivedImage, name: string): AsyncGenerator<Uint8Array> {
  const { descriptor, manifest } = image;
  for (const [path, bytes] of archiveFiles({ descriptor, manifest, name, reference: parseReference(name) })) {
    yield* file(path, bytes);
  }
  yield* file(blobPath(descriptor.digest), image.manifestBytes);
  yield* file(blobPath(manifest.config.digest), image.configBytes);
  const layers = new Map(image.layers.map((layer) => [layer.descriptor.digest, layer]));
  for (const [digest, { descriptor, open }] of layers) {
    yield head(blobPath(digest), descriptor.size);
    yield* open(0, descriptor.size) as AsyncIterable<Uint8Array>;
    yield Buffer.alloc(paddingOf(descriptor.size));
  }
  yield Buffer.alloc(trailerSize);
}

function* file(path: string, bytes: Uint8Array): Generator<Uint8Array> {
  yield head(path, bytes.length);
  yield bytes;
  yield Buffer.alloc(paddingOf(bytes.length));
}

function head(path: string, size: number): Uint8Array {
  return header({ type: "file", path, content: { bytes: Buffer.alloc(0) }, mode: 0o644 }, size);
}
