import type { Environment } from "../core/environment.ts";
import { UserError } from "../core/errors.ts";
import { nearest } from "../core/nearest.ts";
import { readWhole } from "../core/read-whole.ts";
import { maximumConfigSize } from "../oci/config.ts";
import { type Descriptor, formatPlatform, isSamePlatform } from "../oci/descriptor.ts";
import { builtImages, customImage, parseImages } from "../oci/image-uris.ts";
import { parseJson } from "../oci/json.ts";
import { type ImageManifest, isIndex, parseManifest } from "../oci/manifest.ts";
import { formatReference, parseReference } from "../oci/reference.ts";
import type { RegistryClient } from "../registry/client/client.ts";
import { choosePlatforms, type IndexedImage } from "../registry/platforms.ts";
import type { ContainerAtDigest, ContainerAtTag, ImageTarget } from "./schema.ts";

/** The image that a tag names now, for one platform. */
export async function resolveTag(
  { repository: name, tag }: ContainerAtTag,
  platform: string,
  open: (registry: string) => Promise<RegistryClient>,
): Promise<ContainerAtDigest> {
  const { registry, repository } = parseReference(name);
  const document = formatReference({ registry, repository, tag });
  using client = await open(registry);
  const stored = await client.getManifest(repository, tag);
  if (!stored) throw await missingTag(client, repository, tag, document);
  const manifest = parseManifest(stored.bytes, { mediaType: stored.descriptor.mediaType, document });
  const resolved = (digest: Descriptor["digest"]) => ({
    repository: formatReference({ registry, repository }),
    digest,
  });
  if (isIndex(manifest)) {
    const names = { document, option: "`platform`" };
    const [image] = choosePlatforms(manifest.manifests, [platform], [], names);
    return resolved((image as IndexedImage).descriptor.digest);
  }
  await requirePlatform(client, repository, manifest, platform, document);
  return resolved(stored.descriptor.digest);
}

/** The manifest that a tag names now: an index if the image is for several platforms. */
export async function digestOfTag(
  { repository: name, tag }: ContainerAtTag,
  open: (registry: string) => Promise<RegistryClient>,
): Promise<ContainerAtDigest> {
  const { registry, repository } = parseReference(name);
  using client = await open(registry);
  const found = await client.headManifest(repository, tag);
  if (!found) throw await missingTag(client, repository, tag, formatReference({ registry, repository, tag }));
  return { repository: formatReference({ registry, repository }), digest: found.digest };
}

async function missingTag(
  client: RegistryClient,
  repository: string,
  tag: string,
  document: string,
): Promise<UserError> {
  const tags = await client.listTags(repository).catch(() => []);
  const meant = nearest(tag, tags);
  const known = tags.slice(-10).join(", ");
  return new UserError(
    { code: "image-not-found", culprit: document },
    `There is no image ${document}${meant === undefined ? "" : ` (did you mean the tag ${meant}?)`}.`,
    tags.length === 0
      ? "Check the repository's name, or push the image first."
      : `Tags of the repository${tags.length > 10 ? ", the last ten" : ""}: ${known}.`,
  );
}

/** An image without an index names its platform in its configuration. */
async function requirePlatform(
  client: RegistryClient,
  repository: string,
  { config }: ImageManifest,
  platform: string,
  document: string,
): Promise<void> {
  const identity = { code: "image-unsuitable", culprit: document } as const;
  if (config.size > maximumConfigSize) {
    const problem = `The configuration of ${document} has ${config.size} bytes, which is too large.`;
    throw new UserError(identity, problem, "Use another image.");
  }
  const node = parseJson(
    await readWhole(client.getBlob(repository, config), maximumConfigSize),
    `configuration of ${document}`,
  );
  const text = (key: string) => (node.get(key).present ? node.get(key).string() : "");
  const [os, architecture, variant] = [text("os"), text("architecture"), text("variant")];
  // Artifacts have no platform.
  if (os === "" || architecture === "") return;
  const name = formatPlatform({ os, architecture, ...(variant === "" ? {} : { variant }) });
  if (isSamePlatform(platform, name) || platform === `${os}/${architecture}`) return;
  throw new UserError(
    identity,
    `${document} is for ${name}, not for ${platform}.`,
    "Set `platform`, or use another image.",
  );
}

/** From `SLIPWAY_CONTAINER_IMAGE_URIS` of the launcher, or from `SLIPWAY_CONTAINER_IMAGE` for all tags. */
export function imageOfTarget({ target, tag }: ImageTarget, env: Environment): ContainerAtDigest {
  const remedy = `Run \`bazel run ${target}_push\` and set SLIPWAY_CONTAINER_IMAGE_URIS to ${tag}## followed by its output, or use a launch script.`;
  const found = env[customImage] || parseImages(env[builtImages] ?? "").get(tag);
  if (!found) {
    throw new UserError(
      { code: "image-not-found", culprit: target },
      `ImageTarget: no pushed image ${tag} of ${target} is known here.`,
      remedy,
    );
  }
  const { registry, repository, digest } = parseReference(found);
  if (digest === undefined) {
    throw new UserError({ code: "image-unpinned", culprit: found }, `ImageTarget: ${found} has no digest.`, remedy);
  }
  return { repository: formatReference({ registry, repository }), digest };
}
