import { UserError } from "../../core/errors.ts";
import { type ImageConfig, parseImageConfig } from "../../oci/config.ts";
import { type Descriptor, formatPlatform, isSamePlatform, type Platform } from "../../oci/descriptor.ts";
import { type Digest, isDigest } from "../../oci/digest.ts";
import type { LayerMetadata } from "../../oci/layer.ts";
import { type ImageManifest, isIndex } from "../../oci/manifest.ts";
import { isNondistributable, mediaTypes } from "../../oci/media-types.ts";
import { parseReference, type Reference } from "../../oci/reference.ts";
import type { RegistryClient, StoredManifest } from "../client/client.ts";
import { absentImage, type FetchedManifest, fetchManifest } from "../client/fetch-manifest.ts";
import { choosePlatforms } from "../platforms.ts";

/** What `base_images.pull` declares. */
export interface PullRequest {
  /** `REGISTRY/REPOSITORY`, with a tag for people or a digest. */
  readonly image: string;
  /** Empty: said in `image`, or forgotten. */
  readonly digest: string;
  /** `os/architecture[/variant]` each. Empty: see {@link choosePlatforms}. */
  readonly platforms: readonly string[];
  /** Platforms that Bazel can choose by. */
  readonly known: readonly string[];
}

/** An image of one platform, without its layers. */
export interface PulledImage {
  /** What the index calls its platform; without an index, what the configuration says. */
  readonly platform: string;
  readonly descriptor: Descriptor & { readonly platform: Platform };
  readonly manifest: Buffer;
  readonly config: Buffer;
  /** Each once, lowest first. */
  readonly layers: readonly LayerMetadata[];
}

export interface PulledBase {
  /** Where the layers are. */
  readonly source: Pick<Reference, "registry" | "repository">;
  readonly images: readonly PulledImage[];
}

/** The largest configuration that is taken, in bytes. */
const maximumConfigSize = 8 * 1024 * 1024;

/**
 * Fetches manifest and configuration of a base image, for every platform that is wanted; never a layer. All of it is verified.
 *
 * @throws UserError that names what is wrong with the declaration, or with what the registry has; without a digest it says which to write
 */
export async function pullBase(
  request: PullRequest,
  open: (registry: string) => Promise<RegistryClient>,
): Promise<PulledBase> {
  const reference = parseReference(request.image);
  const client = await open(reference.registry);
  try {
    const digest = digestOf(request, reference) ?? (await tellDigest(request, reference, client));
    const fetched = await fetchManifest(client, reference.repository, digest);
    const pull = new Pull(client, reference.repository);
    return { source: reference, images: await pull.images(fetched, request) };
  } finally {
    client.close();
  }
}

function digestOf({ image, digest }: PullRequest, reference: Reference): Digest | undefined {
  if (digest !== "" && !isDigest(digest)) {
    throw new UserError(
      `digest = ${JSON.stringify(digest)} is not a digest.`,
      "Write sha256: and 64 lower-case hexadecimal digits; leave it out to be told which they are.",
    );
  }
  if (digest !== "" && reference.digest !== undefined && reference.digest !== digest) {
    throw new UserError(
      `image = ${JSON.stringify(image)} and digest = ${JSON.stringify(digest)} name two images.`,
      "Leave one of the digests out.",
    );
  }
  return isDigest(digest) ? digest : reference.digest;
}

/** A tag may name another image tomorrow, so it is not enough; but it can be asked what it names today. */
async function tellDigest(request: PullRequest, reference: Reference, client: RegistryClient): Promise<never> {
  const tag = reference.tag ?? "latest";
  const found = await client.headManifest(reference.repository, tag);
  if (!found) throw absentImage(reference, tag);
  throw new UserError(
    `image = ${JSON.stringify(request.image)} has no digest, so it would be another image whenever its tag moves.`,
    `Write beside it what the tag ${tag} names now: digest = "${found.digest}",`,
  );
}

class Pull {
  readonly #client: RegistryClient;
  readonly #repository: string;

  constructor(client: RegistryClient, repository: string) {
    this.#client = client;
    this.#repository = repository;
  }

  async images(fetched: FetchedManifest, { platforms, known }: PullRequest): Promise<readonly PulledImage[]> {
    const { manifest } = fetched;
    const { digest } = fetched.descriptor;
    if (!isIndex(manifest)) {
      const image = await this.#image(fetched, manifest);
      const other = platforms.find((wanted) => !isSamePlatform(wanted, image.platform));
      if (other === undefined) return [image];
      throw new UserError(
        `Image ${digest} is for ${image.platform} alone, and platforms has ${other}.`,
        "Take the digest of the index that names the images of all platforms, or leave `platforms` out.",
      );
    }
    const chosen = choosePlatforms(manifest.manifests, platforms, known, {
      document: `Index ${digest}`,
      option: "`platforms`",
    });
    return Promise.all(
      chosen.map(async ({ platform, descriptor }) => {
        const each = await fetchManifest(this.#client, this.#repository, descriptor.digest);
        if (isIndex(each.manifest)) {
          throw new UserError(
            `Index ${digest} names another index, ${descriptor.digest}.`,
            "Take the digest of an index whose entries are images.",
          );
        }
        const image = await this.#image(each, each.manifest);
        const { os, architecture } = image.descriptor.platform;
        if (isSamePlatform(`${os}/${architecture}`, platform)) return { ...image, platform };
        throw new UserError(
          `Index ${digest} says that ${descriptor.digest} is for ${platform}, its configuration for ${os}/${architecture}.`,
          "Name in `platforms` those that you want, without this one: it is damaged.",
        );
      }),
    );
  }

  async #image(stored: StoredManifest, manifest: ImageManifest): Promise<PulledImage> {
    const { digest, size } = stored.descriptor;
    this.#check(manifest, digest);
    const config = await this.#read(manifest.config);
    const parsed = parseImageConfig(config, `Configuration ${manifest.config.digest} of image ${digest}`);
    const platform = platformOf(parsed);
    return {
      platform: formatPlatform(platform),
      descriptor: { mediaType: manifest.mediaType, digest, size, platform },
      manifest: stored.bytes,
      config,
      layers: layersOf(manifest, parsed, digest),
    };
  }

  #check(manifest: ImageManifest, digest: Digest): void {
    const { mediaType, size } = manifest.config;
    const image: readonly string[] = [mediaTypes.config, mediaTypes.dockerConfig];
    if (!image.includes(mediaType)) {
      throw new UserError(
        `${digest} is not a container image: its configuration is of the type ${mediaType}.`,
        "Take the digest of an image, or of an index of images.",
      );
    }
    if (size > maximumConfigSize) {
      throw new UserError(
        `The configuration of image ${digest} has ${size} bytes, more than the ${maximumConfigSize} that are read.`,
        "Take another image as a base.",
      );
    }
    const elsewhere = manifest.layers.find((layer) => isNondistributable(layer.mediaType));
    if (elsewhere) {
      throw new UserError(
        `Layer ${elsewhere.digest} of image ${digest} may not be copied, so no image can be built on it.`,
        "Take an image all of whose layers are in the registry, or leave its platform out of `platforms`.",
      );
    }
  }

  async #read(descriptor: Descriptor): Promise<Buffer> {
    const chunks: Buffer[] = [];
    for await (const chunk of this.#client.getBlob(this.#repository, descriptor)) chunks.push(chunk);
    return Buffer.concat(chunks);
  }
}

function platformOf({ os, architecture, variant }: ImageConfig): Platform {
  return { os, architecture, ...(variant ? { variant } : {}) };
}

function layersOf(manifest: ImageManifest, config: ImageConfig, digest: Digest): LayerMetadata[] {
  const diffIds = config.rootfs.diff_ids;
  if (diffIds.length !== manifest.layers.length) {
    throw new UserError(
      `Image ${digest} has ${manifest.layers.length} layers, its configuration ${diffIds.length}.`,
      "Take another image as a base: this one is damaged.",
    );
  }
  const layers = manifest.layers.map(
    ({ mediaType, digest, size }, index): LayerMetadata => ({
      mediaType,
      digest,
      size,
      diffId: diffIds[index] as Digest,
    }),
  );
  return [...new Map(layers.map((layer) => [layer.digest, layer])).values()];
}
