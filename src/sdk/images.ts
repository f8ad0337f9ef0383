import type { Environment } from "../core/environment.ts";
import { UserError } from "../core/errors.ts";
import { builtImages, customImage, parseImages } from "../oci/image-uris.ts";

function find(tag: string, env: Environment): string | undefined {
  return env[customImage] || parseImages(env[builtImages] ?? "").get(tag);
}

/**
 * Whether this program was started with a container image, so that its functions can run in it (runtime contract).
 *
 * @param tag one of the pipeline's `bases`; by default `default`
 * @param env the environment; by default the process's
 * @throws UserError when a variable that the launcher sets is not what it sets
 */
export function hasContainerImage(tag = "default", env: Environment = process.env): boolean {
  return find(tag, env) !== undefined;
}

/**
 * The address of this program's image, `HOST/REPOSITORY@sha256:…`: `SLIPWAY_CONTAINER_IMAGE` for every tag when a user set it, else
 * what the launcher built and pushed (runtime contract).
 *
 * @param tag one of the pipeline's `bases`; by default `default`
 * @param env the environment; by default the process's
 * @throws UserError when no image was built for the tag, naming those that were
 */
export function containerImage(tag = "default", env: Environment = process.env): string {
  const found = find(tag, env);
  if (found !== undefined) return found;
  const tags = [...parseImages(env[builtImages] ?? "").keys()];
  if (tags.length > 0) {
    throw new UserError(
      `${tag} was not built: this program has images for ${tags.join(", ")}.`,
      `Add ${JSON.stringify(tag)} to the pipeline's \`bases\`, or use one of these tags.`,
    );
  }
  throw new UserError(
    `${tag} was not built: this program was started without an image.`,
    `Run the pipeline's own target rather than its _local one, or set ${customImage}.`,
  );
}

/** The variables above as they are set here, for a process that should see the same images. */
export function imageVariables(env: Environment = process.env): Record<string, string> {
  const set = [customImage, builtImages].map((name) => [name, env[name] ?? ""] as const);
  return Object.fromEntries(set.filter(([, value]) => value !== ""));
}
