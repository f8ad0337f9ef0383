import { mkdir, readFile } from "node:fs/promises";
import { join } from "node:path";
import type { Readable } from "node:stream";
import type { Environment } from "../core/environment.ts";
import { UserError } from "../core/errors.ts";
import { replaceFile } from "../core/files.ts";
import { cacheFolder } from "../core/user-folders.ts";
import type { BaseImage } from "../oci/compose.ts";
import type { Descriptor } from "../oci/descriptor.ts";
import { type Digest, digestOf, splitDigest } from "../oci/digest.ts";
import { type ImageManifest, isIndex, parseManifest } from "../oci/manifest.ts";
import { isNondistributable } from "../oci/media-types.ts";
import { parseReference, type Reference } from "../oci/reference.ts";
import { configField, type RegistryClient } from "./client/client.ts";
import { fetchManifest } from "./client/fetch-manifest.ts";
import type { BlobToPush } from "./client/push.ts";
import { openByName } from "./open-by-name.ts";
import { choosePlatforms } from "./platforms.ts";

export interface SourceOptions {
  /** `HOST/REPOSITORY@sha256:…`. */
  readonly image: string;
  /** `os/architecture[/variant]`, for an index. */
  readonly platform?: string;
  readonly env?: Environment;
}

/** Opens the registry only for parts that are not in the cache. */
export class SourceImage {
  readonly reference: Reference & { readonly digest: Digest };
  readonly #options: SourceOptions;
  readonly #cache: string;
  #client: Promise<RegistryClient> | undefined;

  /** @throws UserError when `image` names no digest */
  constructor(options: SourceOptions) {
    const { image, env } = options;
    const { digest, ...reference } = parseReference(image);
    if (digest === undefined)
      throw new UserError(
        { code: "image-unpinned", culprit: image },
        `${image} names no digest, so it may change.`,
        "Name the image by its digest.",
      );
    this.reference = { ...reference, digest };
    this.#options = options;
    this.#cache = join(cacheFolder(env), "images");
  }

  async read(): Promise<Required<Pick<BaseImage, "manifest" | "config">>> {
    const named = await this.#manifest(this.reference.digest);
    const document = `Manifest of ${this.#options.image}`;
    const parsed = parseManifest(named, { document });
    const manifest = isIndex(parsed) ? await this.#manifest(this.#chosen(parsed.manifests)) : named;
    const { config } = parseManifest(manifest, { document }) as ImageManifest;
    return { manifest, config: await this.#config(config) };
  }

  async blobs(manifest: Uint8Array, host: string): Promise<BlobToPush[]> {
    const { layers } = parseManifest(manifest) as ImageManifest;
    const client = await this.#open();
    const { registry, repository } = this.reference;
    return layers
      .filter(({ mediaType }) => !isNondistributable(mediaType))
      .map((descriptor) => ({
        descriptor,
        open: client.blobSource(repository, descriptor),
        origin: { kind: "registry", host: registry },
        mountFrom: registry === host ? repository : undefined,
      }));
  }

  /** The last layer first. */
  async layers(manifest: Uint8Array): Promise<(() => Readable)[]> {
    const { layers } = parseManifest(manifest) as ImageManifest;
    const client = await this.#open();
    return layers.toReversed().map((descriptor) => () => client.getBlob(this.reference.repository, descriptor));
  }

  close(): void {
    // The caller of #open gets the error.
    this.#client?.then((client) => client.close()).catch(() => {});
  }

  [Symbol.dispose](): void {
    this.close();
  }

  #chosen(manifests: readonly Descriptor[]): Digest {
    const { image: document, platform } = this.#options;
    const wanted = platform === undefined ? [] : [platform];
    const [chosen] = choosePlatforms(manifests, wanted, [], { document, option: "`platform`" });
    return (chosen as { readonly descriptor: Descriptor }).descriptor.digest;
  }

  #manifest(digest: Digest): Promise<Buffer> {
    return this.#cached(digest, async () => {
      const { bytes } = await fetchManifest(await this.#open(), this.reference.repository, digest);
      return bytes;
    });
  }

  #config(config: Descriptor): Promise<Buffer> {
    return this.#cached(config.digest, async () =>
      (await this.#open()).readBlob(this.reference.repository, config, configField, this.#options.image),
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
    this.#client ??= openByName(this.reference.registry, this.#options.env);
    return this.#client;
  }
}
