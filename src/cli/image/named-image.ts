import { UserError } from "../../core/errors.ts";
import { type ImageConfig, parseImageConfig } from "../../oci/config.ts";
import { type Descriptor, formatPlatform, isSamePlatform, ownArchitecture } from "../../oci/descriptor.ts";
import type { Digest } from "../../oci/digest.ts";
import { checkIndexDepth, type ImageManifest, isIndex } from "../../oci/manifest.ts";
import { mediaTypes } from "../../oci/media-types.ts";
import { formatReference, parseReference, type Reference } from "../../oci/reference.ts";
import { configField, type RegistryClient } from "../../registry/client/client.ts";
import { type FetchedManifest, fetchManifest } from "../../registry/client/fetch-manifest.ts";
import { openRunning } from "../../registry/open-running.ts";
import { choosePlatforms } from "../../registry/platforms.ts";
import { optionError } from "../usage-error.ts";

export interface NamedImage {
  readonly client: RegistryClient;
  readonly repository: string;
  /** The digest, else the tag, else `latest`. */
  readonly name: string | Digest;
  readonly reference: Reference;
}

/** @throws UserError if the reference is invalid, or if it names the embedded registry and that cannot be started */
export async function openImage(text: string): Promise<NamedImage & Disposable> {
  const reference = parseReference(text);
  const name = reference.digest ?? reference.tag ?? "latest";
  const client = await openRunning(reference.registry);
  const { repository } = reference;
  return { client, repository, name, reference, [Symbol.dispose]: () => client.close() };
}

export function referenceTo({ reference: { registry, repository } }: NamedImage, digest: Digest): string {
  return formatReference({ registry, repository, digest });
}

export interface PlatformImage extends FetchedManifest {
  readonly manifest: ImageManifest;
}

/** Of an index, the image for `platform` (default: Linux on this processor, or the only one), `depth` indexes deep. */
export async function fetchImage(image: NamedImage, platform?: string, depth = 0): Promise<PlatformImage> {
  if (platform !== undefined) checkPlatform(platform);
  checkIndexDepth(depth, formatReference(image.reference));
  const fetched = await fetchManifest(image.client, image.repository, image.name);
  const { manifest } = fetched;
  if (!isIndex(manifest)) {
    if (platform !== undefined) await checkIsFor(image, manifest, platform);
    return { ...fetched, manifest };
  }
  const { digest } = chooseFrom(manifest.manifests, platform, `Index ${formatReference(image.reference)}`);
  const chosen = await fetchManifest(image.client, image.repository, digest);
  if (!isIndex(chosen.manifest)) return { ...chosen, manifest: chosen.manifest };
  return fetchImage({ ...image, name: digest }, platform, depth + 1);
}

function checkPlatform(text: string): void {
  if (/^[a-z0-9]+\/[a-z0-9_]+(\/[a-z0-9.]+)?$/.test(text)) return;
  throw optionError(
    "--platform",
    `--platform is ${JSON.stringify(text)}, which is not a platform.`,
    "Write os/architecture[/variant], for example linux/arm64.",
  );
}

async function checkIsFor(image: NamedImage, manifest: ImageManifest, wanted: string): Promise<void> {
  const name = formatReference(image.reference);
  const platform = formatPlatform(await readConfig(image, manifest, name));
  if (isSamePlatform(wanted, platform)) return;
  throw new UserError(
    { code: "image-unsuitable", culprit: name },
    `${name} is for ${platform}, not for ${wanted}.`,
    "Leave --platform out, or name an index.",
  );
}

function chooseFrom(manifests: readonly Descriptor[], platform: string | undefined, document: string): Descriptor {
  const offered = manifests.filter((each) => each.platform && each.platform.os !== "unknown");
  const [only] = offered;
  if (platform === undefined && offered.length === 1 && only) return only;
  const wanted = platform ?? `linux/${ownArchitecture()}`;
  const [chosen] = choosePlatforms(manifests, [wanted], [], { document, option: "--platform" });
  return (chosen as { descriptor: Descriptor }).descriptor;
}

/** Engines accept about 127; thousands would exhaust memory and time. */
const mostLayers = 1000;

export function platformName(descriptor: Descriptor): string {
  return descriptor.platform ? formatPlatform(descriptor.platform) : "no platform";
}

/** `name` is for errors: digest or reference. */
export async function readConfig(
  image: NamedImage,
  { config, layers }: ImageManifest,
  name: string,
): Promise<ImageConfig> {
  if (layers.length > mostLayers) {
    throw new UserError(
      { code: "image-invalid", culprit: name },
      `${name} has ${layers.length} layers, more than the limit of ${mostLayers}.`,
      "Build the image again with fewer layers.",
    );
  }
  const { mediaType } = config;
  if (mediaType !== mediaTypes.config && mediaType !== mediaTypes.dockerConfig) {
    const culprit = formatReference(image.reference);
    throw new UserError(
      { code: "image-unsuitable", culprit },
      `${culprit} is not a container image: its configuration has the type ${mediaType}.`,
      "Name a container image; `slipway image inspect` shows what this is.",
    );
  }
  const { client, repository, reference } = image;
  const bytes = await client.readBlob(repository, config, configField, formatReference(reference));
  return parseImageConfig(bytes, `Configuration of ${name}`);
}
