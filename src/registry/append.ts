import { createReadStream } from "node:fs";
import { mkdir, readFile } from "node:fs/promises";
import { join } from "node:path";
import { Readable } from "node:stream";
import { buffer } from "node:stream/consumers";
import { type BaseImage, composeImage, type ImageSpec } from "../oci/compose.ts";
import type { Descriptor } from "../oci/descriptor.ts";
import { type Digest, digestOf, splitDigest } from "../oci/digest.ts";
import { UserError } from "../oci/errors.ts";
import { replaceFile } from "../oci/files.ts";
import type { LayerMetadata } from "../oci/layer.ts";
import { type ImageManifest, isIndex, parseManifest } from "../oci/manifest.ts";
import { isNondistributable } from "../oci/media-types.ts";
import { formatReference, parseReference, type Reference } from "../oci/reference.ts";
import { cacheFolder } from "../oci/xdg.ts";
import type { RegistryClient } from "./client/client.ts";
import { fetchManifest } from "./client/fetch-manifest.ts";
import { type BlobToPush, type ImageContent, type ImageOutcome, type PushEvent, pushImages } from "./client/push.ts";
import { openByName } from "./open-by-name.ts";
import { choosePlatforms } from "./platforms.ts";
import { openWritable, type WritableOptions } from "./writable.ts";

/** A layer on this machine. */
export interface LocalLayer {
  readonly metadata: LayerMetadata;
  /** Path of the blob. */
  readonly blob: string;
}

export interface AppendOptions extends WritableOptions {
  /** The image to build on: `HOST/REPOSITORY@sha256:…`. */
  readonly image: string;
  /** `os/architecture[/variant]`: which of its images is meant where the digest is that of an index. */
  readonly platform?: string;
  /** In order, on top of the image's own. None: the image is brought to the registry of jobs. */
  readonly layers: readonly LocalLayer[];
  /** Changes to its configuration. Default: none. */
  readonly spec?: ImageSpec;
  /** Where the new image goes, in the registry of jobs. Default: the repository of `image`. */
  readonly repository?: string;
  /** Tags it gets. Default: it is known by its digest alone. */
  readonly tags?: readonly string[];
  readonly onEvent?: (event: PushEvent) => void;
  readonly signal?: AbortSignal;
}

export interface AppendedImage {
  /** `HOST/REPOSITORY@sha256:…`. */
  readonly image: string;
  readonly digest: Digest;
  readonly outcome: ImageOutcome;
}

/** Bytes of the largest image configuration that is read. */
const maximumConfig = 8 * 1024 * 1024;

/**
 * Makes a new image of one in a registry and layers on top of it, in the registry that jobs pull from ({@link openWritable}). Layers of the
 * image are mounted within a registry and streamed between two, and are never on this machine's disk. The same inputs give the same
 * digest; when that is there, one HEAD is all that is asked, for the image's manifest and configuration are kept in the cache.
 *
 * @throws UserError when there is no such image, it is not of the platform, or a registry refuses
 */
export async function appendLayers(options: AppendOptions): Promise<AppendedImage> {
  const source = new SourceImage(parseReference(options.image), options);
  const target = await openWritable(options);
  try {
    const base = await source.read();
    const composed = composeImage({
      base: { manifest: base.manifest, config: base.config, name: options.image },
      layers: options.layers.map(({ metadata }) => metadata),
      spec: { ...platformOf(options.platform), ...options.spec },
    });
    const { digest, mediaType } = composed.descriptor;
    const repository = options.repository ?? source.reference.repository;
    const [outcome = "unchanged"] = await pushImages(
      [
        {
          client: target.client,
          repository,
          tags: options.tags ?? [],
          digest,
          read: async (): Promise<ImageContent> => ({
            manifest: { bytes: composed.manifest, mediaType },
            blobs: [
              bytesToPush(composed.config, parseManifest(composed.manifest) as ImageManifest),
              ...(await source.blobs(base.manifest, target.host)),
              ...options.layers.map(fileToPush),
            ],
          }),
        },
      ],
      {
        check: "tags",
        ...(options.onEvent ? { onEvent: options.onEvent } : {}),
        ...(options.signal ? { signal: options.signal } : {}),
      },
    );
    return { image: formatReference({ registry: target.host, repository, digest }), digest, outcome };
  } finally {
    target.client.close();
    source.close();
  }
}

/** An image that stands alone says itself what it is for, which must be what is wanted. */
function platformOf(platform: string | undefined): Pick<ImageSpec, "os" | "architecture" | "variant"> {
  const [os, architecture, variant] = platform?.split("/") ?? [];
  return { ...(os ? { os } : {}), ...(architecture ? { architecture } : {}), ...(variant ? { variant } : {}) };
}

function fileToPush({ metadata, blob }: LocalLayer): BlobToPush {
  return {
    descriptor: metadata,
    open: (start, end) => createReadStream(blob, { start, end: end - 1 }),
  };
}

function bytesToPush(bytes: Uint8Array, { config }: ImageManifest): BlobToPush {
  return {
    descriptor: config,
    open: (start, end) => Readable.from([bytes.subarray(start, end)], { objectMode: false }),
  };
}

/** An image in a registry, which is opened when something of it is not in the cache. */
class SourceImage {
  readonly reference: Reference & { readonly digest: Digest };
  readonly #name: string;
  readonly #platform: string | undefined;
  readonly #env: AppendOptions["env"];
  readonly #cache: string;
  #client: Promise<RegistryClient> | undefined;

  constructor(reference: Reference, { image, platform, env }: AppendOptions) {
    const { digest } = reference;
    if (digest === undefined)
      throw new UserError(`${image} names no digest, so it may change.`, "Name the image by its digest.");
    this.reference = { ...reference, digest };
    this.#name = image;
    this.#platform = platform;
    this.#env = env;
    this.#cache = join(cacheFolder(env), "images");
  }

  /** Manifest and configuration: from the cache where they are there. */
  async read(): Promise<Required<Pick<BaseImage, "manifest" | "config">>> {
    const named = await this.#manifest(this.reference.digest);
    const parsed = parseManifest(named, { document: `Manifest of ${this.#name}` });
    const manifest = isIndex(parsed) ? await this.#manifest(this.#chosen(parsed.manifests)) : named;
    const { config } = parseManifest(manifest, { document: `Manifest of ${this.#name}` }) as ImageManifest;
    return { manifest, config: await this.#config(config) };
  }

  /** Its layers, which come from its registry or are there already. */
  async blobs(manifest: Uint8Array, host: string): Promise<BlobToPush[]> {
    const { layers } = parseManifest(manifest) as ImageManifest;
    const client = await this.#open();
    const { registry, repository } = this.reference;
    return layers
      .filter(({ mediaType }) => !isNondistributable(mediaType))
      .map((descriptor) => ({
        descriptor,
        open: client.blobSource(repository, descriptor),
        streamedFrom: registry,
        ...(registry === host ? { mountFrom: repository } : {}),
      }));
  }

  close(): void {
    // Who opened it has heard of its failure.
    this.#client?.then((client) => client.close()).catch(() => {});
  }

  #chosen(manifests: readonly Descriptor[]): Digest {
    const names = { document: this.#name, option: "`platform`" };
    const [chosen] = choosePlatforms(manifests, this.#platform === undefined ? [] : [this.#platform], [], names);
    return (chosen as { readonly descriptor: Descriptor }).descriptor.digest;
  }

  #manifest(digest: Digest): Promise<Buffer> {
    return this.#cached(digest, async () => {
      const { bytes } = await fetchManifest(await this.#open(), this.reference.repository, digest);
      return bytes;
    });
  }

  #config(config: Descriptor): Promise<Buffer> {
    if (config.size > maximumConfig)
      throw new UserError(`The configuration of ${this.#name} has ${config.size} bytes.`, "Take another image.");
    return this.#cached(config.digest, async () =>
      buffer((await this.#open()).getBlob(this.reference.repository, config)),
    );
  }

  async #cached(digest: Digest, fetch: () => Promise<Buffer>): Promise<Buffer> {
    const path = join(this.#cache, digest.replace(":", "-"));
    const known = await readFile(path).catch(() => undefined);
    if (known && digestOf(splitDigest(digest).algorithm, known) === digest) return known;
    const bytes = await fetch();
    await mkdir(this.#cache, { recursive: true, mode: 0o700 });
    await replaceFile(path, bytes);
    return bytes;
  }

  #open(): Promise<RegistryClient> {
    this.#client ??= openByName(this.reference.registry, this.#env);
    return this.#client;
  }
}
