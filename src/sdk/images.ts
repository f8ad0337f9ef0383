import { UserError } from "../oci/errors.ts";

type Environment = Readonly<Record<string, string | undefined>>;

/** Set by a user: this image is used for everything. */
const customImage = "SLIPWAY_CONTAINER_IMAGE";
/** Set by the launcher: `tag##repository@sha256:…` joined by `::`. */
const builtImages = "SLIPWAY_CONTAINER_IMAGE_URIS";

/**
 * Reads the images that the launcher built, by tag. An address may hold colons of its own (a registry's port, IPv6), so `::` divides
 * only where a tag and `##` follow.
 *
 * @throws UserError when an entry has no tag or no address
 */
export function parseImages(text: string): ReadonlyMap<string, string> {
  const entries = text === "" ? [] : text.split(/::(?=[^:#/@]+##)/);
  return new Map(
    entries.map((entry) => {
      const [, tag, address] = /^([^:#/@]+)##(.+)$/s.exec(entry) ?? [];
      if (tag === undefined || address === undefined) {
        throw new UserError(
          `${builtImages}: ${JSON.stringify(entry)} is not TAG##IMAGE.`,
          "Unset it and start the program by its Bazel target, which sets it.",
        );
      }
      return [tag, address];
    }),
  );
}

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
