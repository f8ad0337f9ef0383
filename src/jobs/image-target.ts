import type { Environment } from "../core/environment.ts";
import { UserError } from "../core/errors.ts";
import { builtImages, customImage, parseImages } from "../oci/image-uris.ts";
import { formatReference, parseReference } from "../oci/reference.ts";
import type { ContainerAtDigest, ImageTarget } from "./schema.ts";

/**
 * The image of a target that the launcher pushed, from `SLIPWAY_CONTAINER_IMAGE_URIS`, or from
 * `SLIPWAY_CONTAINER_IMAGE` for all tags.
 */
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
