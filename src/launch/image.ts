import { createReadStream, existsSync, readlinkSync, statSync } from "node:fs";
import { dirname, join, resolve } from "node:path";
import { UserError } from "../core/errors.ts";
import { checkDescriptor, type Descriptor } from "../oci/descriptor.ts";
import type { Digest } from "../oci/digest.ts";
import { parseJson } from "../oci/json.ts";
import { type LayerMetadata, parseLayerMetadata } from "../oci/layer.ts";
import { blobPath } from "../oci/layout.ts";
import { type ImageManifest, isIndex, parseImageManifest, parseManifest } from "../oci/manifest.ts";
import type { RegistryClient } from "../registry/client/client.ts";
import type { BlobToPush, ImageContent } from "../registry/client/push.ts";
import type { OpenBlob } from "../registry/client/upload.ts";
import { openByName } from "../registry/open-by-name.ts";
import { cachedLayer } from "./cached-layers.ts";
import type { BlobSource, RequestedBlob, RequestedImage } from "./request.ts";
import type { Runfiles } from "./runfiles.ts";

/** Reads only the descriptor at first: most launches need nothing else. */
export class BuiltImage {
  readonly requested: RequestedImage;
  readonly descriptor: Descriptor;
  readonly #runfiles: Runfiles;

  constructor(requested: RequestedImage, runfiles: Runfiles, descriptor?: Descriptor) {
    this.requested = requested;
    this.#runfiles = runfiles;
    this.descriptor =
      descriptor ?? checkDescriptor(parseJson(runfiles.read(requested.descriptor), requested.descriptor));
  }

  get target(): string {
    return this.requested.target ?? this.#runfiles.target;
  }

  /** Empty for an image of one platform. */
  get children(): readonly BuiltImage[] {
    const { children, layouts, manifest: document } = this.requested;
    if (children.length > 0) return children.map((child) => new BuiltImage(child, this.#runfiles));
    // The build knows all indexes except those in layouts.
    if (layouts.length === 0) return [];
    const manifest = parseManifest(this.#runfiles.read(document), { document });
    return isIndex(manifest) ? manifest.manifests.map((descriptor) => this.#child(descriptor)) : [];
  }

  #child(descriptor: Descriptor): BuiltImage {
    const manifest = this.#inLayouts(descriptor.digest);
    const { config } = parseImageManifest(this.#runfiles.read(manifest), { document: manifest });
    const requested = { ...this.requested, manifest, config: this.#inLayouts(config.digest) };
    return new BuiltImage(requested, this.#runfiles, descriptor);
  }

  #inLayouts(digest: Digest): string {
    const paths = this.requested.layouts.map((layout) => `${layout}/${blobPath(digest)}`);
    return paths.find((path) => existsSync(this.#runfiles.path(path))) ?? (paths[0] as string);
  }

  /** Blobs are read only when they are opened. */
  parts(): { manifest: ImageManifest; manifestBytes: Buffer; configBytes: Buffer; layers: readonly BlobToPush[] } {
    const { requested } = this;
    const manifestBytes = this.#runfiles.read(requested.manifest);
    const manifest = parseImageManifest(manifestBytes, { document: requested.manifest });
    const layers = requested.blobs.map((blob) => this.#layer(blob));
    const known = new Set(layers.map(({ descriptor }) => descriptor.digest));
    const inLayouts =
      requested.layouts.length === 0 ? [] : manifest.layers.filter((descriptor) => !known.has(descriptor.digest));
    return {
      manifest,
      manifestBytes,
      configBytes: this.#runfiles.read(requested.config),
      layers: [
        ...inLayouts.map((descriptor) => ({ descriptor, open: this.#local(this.#inLayouts(descriptor.digest)) })),
        ...layers,
      ],
    };
  }

  document(file: string): Buffer {
    return this.#runfiles.read(file);
  }

  /** @param registry to push to: it may mount layers of a base that it has */
  content(registry: string): ImageContent {
    const { children } = this;
    return children.length > 0 ? this.#index(children, registry) : this.#image(registry);
  }

  #index(images: readonly BuiltImage[], registry: string): ImageContent {
    const contents = images.map((image) => ({ digest: image.descriptor.digest, ...image.content(registry) }));
    return {
      manifest: { bytes: this.#runfiles.read(this.requested.manifest), mediaType: this.descriptor.mediaType },
      children: contents.map(({ digest, manifest }) => ({ digest, ...manifest })),
      blobs: contents.flatMap(({ blobs }) => blobs),
    };
  }

  #image(registry: string): ImageContent {
    const { manifest, manifestBytes, configBytes, layers } = this.parts();
    const { Readable } = process.getBuiltinModule("node:stream");
    const config: BlobToPush = {
      descriptor: manifest.config,
      open: (start, end) => Readable.from([configBytes.subarray(start, end)]),
    };
    return {
      manifest: { bytes: manifestBytes, mediaType: manifest.mediaType },
      blobs: [config, ...layers.map((layer) => this.#mountable(layer, registry))],
    };
  }

  #mountable(layer: BlobToPush, registry: string): BlobToPush {
    const from =
      layer.origin?.kind === "registry" && this.requested.sources.find((source) => source.registry === registry);
    return from ? { ...layer, mountFrom: from.repository } : layer;
  }

  #layer(blob: RequestedBlob): BlobToPush {
    const descriptor = parseLayerMetadata(this.#runfiles.read(blob.metadata), blob.metadata);
    if (blob.beside !== undefined) return this.#built(descriptor, blob.metadata, blob.beside);
    return blob.blob === undefined ? this.#remote(descriptor) : { descriptor, open: this.#local(blob.blob) };
  }

  #local(blob: string): OpenBlob {
    return openFile(this.#runfiles.path(blob));
  }

  #built(descriptor: LayerMetadata, metadata: string, name: string): BlobToPush {
    const path = join(dirname(targetOf(this.#runfiles.path(metadata))), name);
    if (statSync(path, { throwIfNoEntry: false })?.size === descriptor.size)
      return { descriptor, open: openFile(path) };
    return cachedLayer(descriptor, this.requested.remoteCache ?? "", this.#runfiles.target);
  }

  /** A layer of a base that was never downloaded: it streams from the base's registry. */
  #remote(descriptor: Pick<Descriptor, "digest" | "size">): BlobToPush {
    const [source] = this.requested.sources;
    if (!source) {
      throw new UserError(
        { code: "target-invalid", culprit: this.requested.tag },
        `Image ${this.requested.tag} names no registry for its layer ${descriptor.digest}, which is not on this machine.`,
        "Declare the base image with its registry, or use a base image whose layers are files of the build.",
      );
    }
    const { registry, repository } = source;
    const { Readable } = process.getBuiltinModule("node:stream");
    const open: OpenBlob = (start, end) =>
      Readable.from(streamed({ registry, repository }, descriptor, start, end), { objectMode: false });
    return { descriptor, open, origin: { kind: "registry", host: registry } };
  }
}

function openFile(path: string): OpenBlob {
  return (start, end) => createReadStream(path, { start, end: end - 1, highWaterMark: 256 * 1024 });
}

/** Runfiles are links into the folders of build outputs, except where a machine has no links. */
function targetOf(path: string): string {
  try {
    return resolve(dirname(path), readlinkSync(path));
  } catch {
    return path;
  }
}

async function* streamed(
  { registry, repository }: BlobSource,
  descriptor: Pick<Descriptor, "digest" | "size">,
  start: number,
  end: number,
): AsyncGenerator<Buffer> {
  const client = await sourceOf(registry);
  yield* client.blobSource(repository, descriptor)(start, end);
}

const sources = new Map<string, Promise<RegistryClient>>();

/** One client per registry, so that all layers share its connections and tokens. */
function sourceOf(registry: string): Promise<RegistryClient> {
  const client = sources.get(registry) ?? openByName(registry);
  sources.set(registry, client);
  return client;
}
