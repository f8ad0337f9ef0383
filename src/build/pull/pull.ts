import type { Environment } from "../../core/environment.ts";
import { type ErrorIdentity, UserError } from "../../core/errors.ts";
import { checkDiffIds, type ImageConfig, parseImageConfig } from "../../oci/config.ts";
import { type Descriptor, formatPlatform, isSamePlatform, type Platform } from "../../oci/descriptor.ts";
import { type Digest, isDigest } from "../../oci/digest.ts";
import type { LayerMetadata } from "../../oci/layer.ts";
import { type ImageManifest, isIndex } from "../../oci/manifest.ts";
import { isNondistributable, mediaTypes } from "../../oci/media-types.ts";
import { formatReference, parseReference, type Reference } from "../../oci/reference.ts";
import { configField, type RegistryClient, type StoredManifest } from "../../registry/client/client.ts";
import type { Place } from "../../registry/client/copy.ts";
import { absentImage, type FetchedManifest, fetchManifest } from "../../registry/client/fetch-manifest.ts";
import { choosePlatforms } from "../../registry/platforms.ts";
import { readPublicKey } from "../../signatures/keys.ts";
import { runnableImage } from "../../signatures/runnable-image.ts";
import { verifyImage } from "../../signatures/verify.ts";

export interface PullRequest {
  /** With a tag for people or a digest. */
  readonly image: string;
  /** Empty: part of `image`, or missing. */
  readonly digest: string;
  /** `os/architecture[/variant]` each. Empty: see {@link choosePlatforms}. */
  readonly platforms: readonly string[];
  /** Platforms that Bazel can choose by. */
  readonly known: readonly string[];
  /** Of the public key that must have signed the image. Empty or missing: none. */
  readonly key?: string;
}

export interface PulledImage {
  /** By the index, else by the configuration. */
  readonly platform: string;
  readonly descriptor: Descriptor & { readonly platform: Platform };
  readonly manifest: Buffer;
  readonly config: Buffer;
  /** Each once, lowest first. */
  readonly layers: readonly LayerMetadata[];
}

/**
 * No layers: `source` is their location.
 *
 * @throws Failure if a signature is missing that the declaration or the configuration file requires
 * @throws UserError if the declaration or the image is invalid. If the digest is missing, the error tells it
 */
export async function pullBase(
  request: PullRequest,
  open: (registry: string) => Promise<RegistryClient>,
  env: Environment = process.env,
): Promise<{ readonly source: Reference; readonly images: readonly PulledImage[] }> {
  const reference = parseReference(request.image);
  using client = await open(reference.registry);
  const digest = digestOf(request, reference) ?? (await tellDigest(request, reference, client));
  const fetched = await fetchManifest(client, reference.repository, digest);
  if (request.key) await verifyImage(client, reference.repository, digest, await readPublicKey(request.key, env));
  // An index names its images by digest, so its signature is enough.
  const { registry, repository } = reference;
  await runnableImage(formatReference({ registry, repository, digest }), env, open);
  return {
    source: reference,
    images: await imagesOf({ client, repository: reference.repository }, fetched, request),
  };
}

function digestOf({ image, digest }: PullRequest, reference: Reference): Digest | undefined {
  if (digest !== "" && !isDigest(digest)) {
    throw new UserError(
      { code: "reference-invalid", culprit: digest },
      `digest = ${JSON.stringify(digest)} is not a digest.`,
      "Write sha256: and 64 lower-case hexadecimal digits, or leave it out: the error then tells the digest.",
    );
  }
  if (digest !== "" && reference.digest !== undefined && reference.digest !== digest) {
    throw new UserError(
      { code: "reference-invalid", culprit: image },
      `image = ${JSON.stringify(image)} and digest = ${JSON.stringify(digest)} name two images.`,
      "Remove one of the digests.",
    );
  }
  return isDigest(digest) ? digest : reference.digest;
}

/** A tag can move, so the error tells the digest that it names now. */
async function tellDigest(request: PullRequest, reference: Reference, client: RegistryClient): Promise<never> {
  const tag = reference.tag ?? "latest";
  const found = await client.headManifest(reference.repository, tag);
  if (!found) throw absentImage(reference, tag);
  throw new UserError(
    { code: "image-unpinned", culprit: request.image },
    `image = ${JSON.stringify(request.image)} has no digest, so it would change whenever its tag moves.`,
    `Add the digest that the tag ${tag} names now: digest = "${found.digest}",`,
  );
}

async function imagesOf(
  from: Place,
  fetched: FetchedManifest,
  { platforms, known }: PullRequest,
): Promise<readonly PulledImage[]> {
  const { manifest } = fetched;
  const name = nameOf(from, fetched);
  if (!isIndex(manifest)) {
    const image = await imageOf(from, fetched, manifest);
    const other = platforms.find((wanted) => !isSamePlatform(wanted, image.platform));
    if (other === undefined) return [image];
    throw new UserError(
      unsuitable(name),
      `${name} is for ${image.platform} only, but platforms has ${other}.`,
      "Use the digest of the index with the images of all platforms, or remove `platforms`.",
    );
  }
  const chosen = choosePlatforms(manifest.manifests, platforms, known, { document: name, option: "`platforms`" });
  return Promise.all(
    chosen.map(async ({ platform, descriptor }) => {
      const each = await fetchManifest(from.client, from.repository, descriptor.digest);
      if (isIndex(each.manifest)) {
        throw new UserError(
          unsuitable(name),
          `The index ${name} names another index, ${descriptor.digest}.`,
          "Use the digest of an index whose entries are images.",
        );
      }
      const image = await imageOf(from, each, each.manifest);
      const { os, architecture } = image.descriptor.platform;
      if (isSamePlatform(`${os}/${architecture}`, platform)) return { ...image, platform };
      throw new UserError(
        { code: "image-invalid", culprit: name },
        `The index ${name} says that ${descriptor.digest} is for ${platform}, its configuration for ${os}/${architecture}.`,
        "List the platforms that you want in `platforms`, without this one: it is damaged.",
      );
    }),
  );
}

async function imageOf(from: Place, stored: StoredManifest, manifest: ImageManifest): Promise<PulledImage> {
  const { digest, size } = stored.descriptor;
  const name = nameOf(from, stored);
  check(manifest, name);
  const config = await from.client.readBlob(from.repository, manifest.config, configField, name);
  const parsed = parseImageConfig(config, `Configuration ${manifest.config.digest} of image ${name}`);
  checkDiffIds(manifest, parsed, name);
  const { os, architecture, variant } = parsed;
  const platform = { os, architecture, ...(variant ? { variant } : {}) };
  return {
    platform: formatPlatform(platform),
    descriptor: { mediaType: manifest.mediaType, digest, size, platform },
    manifest: stored.bytes,
    config,
    layers: layersOf(manifest, parsed),
  };
}

function nameOf({ client, repository }: Place, { descriptor }: Pick<StoredManifest, "descriptor">): string {
  return formatReference({ registry: client.registry, repository, digest: descriptor.digest });
}

function unsuitable(culprit: string): ErrorIdentity {
  return { code: "image-unsuitable", culprit };
}

function check(manifest: ImageManifest, name: string): void {
  const { mediaType } = manifest.config;
  const image: readonly string[] = [mediaTypes.config, mediaTypes.dockerConfig];
  if (!image.includes(mediaType)) {
    throw new UserError(
      unsuitable(name),
      `${name} is not a container image: its configuration is of the type ${mediaType}.`,
      "Use the digest of an image, or of an index of images.",
    );
  }
  const elsewhere = manifest.layers.find((layer) => isNondistributable(layer.mediaType));
  if (elsewhere) {
    throw new UserError(
      unsuitable(name),
      `Layer ${elsewhere.digest} of image ${name} may not be copied, so no image can be built on it.`,
      "Use an image whose layers are all in the registry, or remove its platform from `platforms`.",
    );
  }
}

function layersOf(manifest: ImageManifest, config: ImageConfig): LayerMetadata[] {
  const layers = manifest.layers.map(
    ({ mediaType, digest, size }, index): LayerMetadata => ({
      mediaType,
      digest,
      size,
      diffId: config.rootfs.diff_ids[index] as Digest,
    }),
  );
  return [...new Map(layers.map((layer) => [layer.digest, layer])).values()];
}
