import type { Environment } from "../core/environment.ts";
import { UserError } from "../core/errors.ts";
import { builtImages, customImage, parseImages } from "../oci/image-uris.ts";

function find(tag: string, env: Environment): string | undefined {
  return env[customImage] || parseImages(env[builtImages] ?? "").get(tag);
}

/**
 * Returns whether this program was started with a container image in which its functions can run.
 *
 * @param tag a key of the pipeline's `bases`. Default: `default`
 * @param env the environment variables. Default: those of the process
 * @throws UserError if `SLIPWAY_CONTAINER_IMAGE_URIS` is malformed
 */
export function hasContainerImage(tag = "default", env: Environment = process.env): boolean {
  return find(tag, env) !== undefined;
}

/**
 * Returns the address of this program's image, `HOST/REPOSITORY@sha256:…`. If you set `SLIPWAY_CONTAINER_IMAGE`, that
 * image is used for every tag. Otherwise it is the image that the launch script pushed.
 *
 * @param tag a key of the pipeline's `bases`. Default: `default`
 * @param env the environment variables. Default: those of the process
 * @throws UserError if there is no image for the tag, or if `SLIPWAY_CONTAINER_IMAGE_URIS` is malformed
 */
export function containerImage(tag = "default", env: Environment = process.env): string {
  const found = find(tag, env);
  if (found !== undefined) return found;
  const tags = [...parseImages(env[builtImages] ?? "").keys()];
  const [problem, remedy] =
    tags.length > 0
      ? [
          `has images for ${tags.join(", ")}`,
          `Add ${JSON.stringify(tag)} to the pipeline's \`bases\`, or use one of these tags.`,
        ]
      : [
          "was started without an image",
          `Run the pipeline's own target instead of its _local target, or set ${customImage}.`,
        ];
  throw new UserError(
    { code: "image-not-found", culprit: tag },
    `There is no image for the tag ${tag}: this program ${problem}.`,
    remedy,
  );
}

/** The image variables of this process, for a process that should see the same images. */
export function imageVariables(env: Environment = process.env): Record<string, string> {
  const set = [customImage, builtImages].map((name) => [name, env[name] ?? ""] as const);
  return Object.fromEntries(set.filter(([, value]) => value !== ""));
}
