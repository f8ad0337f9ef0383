import type { Environment } from "../core/environment.ts";
import { helperSocketVariable, helperVariable } from "../engine/calls/calls.ts";
import { formatReference, normalizeRegistry } from "../oci/reference.ts";
import type { BuiltImage } from "./image.ts";

/** Set by a user: this image is used for everything, nothing is pushed. */
export const customImage = "SLIPWAY_CONTAINER_IMAGE";
/** Tells the program its images. */
export const builtImages = "SLIPWAY_CONTAINER_IMAGE_URIS";
/** Print what would be pushed and run. */
const dryRun = "SLIPWAY_DRY_RUN";
/** Set by the script that starts the launcher; nothing of it reaches the program. */
export const runfilesFolder = "SLIPWAY_RUNFILES";

export function isDryRun(env: Environment): boolean {
  const value = env[dryRun] ?? "";
  return value !== "" && value !== "0" && value !== "false";
}

/** `HOST/REPOSITORY@sha256:…` */
export function imageReference(image: BuiltImage, host: string, repository = image.requested.repository): string {
  return formatReference({ registry: normalizeRegistry(host), repository, digest: image.descriptor.digest });
}

/**
 * The environment of the program (runtime contract). Its runfiles are among those of the run target, not beside itself where some
 * rulesets' libraries would look, so they are told.
 *
 * @param runfiles folder
 * @param imageEnv further variables for programs that look elsewhere: those that end in `_URIS` list the images as {@link builtImages} does,
 *   any other is the default image
 * @param references of the images by tag
 * @param options `helper`: the program that speaks to engines; `isCustom`: whether the images are one of the user's own, which
 *   {@link customImage} tells and {@link builtImages} does not
 */
export function programEnvironment(
  env: Environment,
  runfiles: string,
  imageEnv: readonly string[],
  references: ReadonlyMap<string, string>,
  options: { readonly helper?: string | undefined; readonly isCustom?: boolean } = {},
): Record<string, string> {
  const result: Record<string, string> = {};
  for (const [name, value] of Object.entries(env)) if (value !== undefined) result[name] = value;
  delete result[runfilesFolder];
  // Of a program that started this one.
  delete result[helperSocketVariable];
  result["RUNFILES_DIR"] = runfiles;
  if (options.helper !== undefined) result[helperVariable] = options.helper;
  const list = [...references].map(([tag, reference]) => `${tag}##${reference}`).join("::");
  for (const name of [builtImages, ...imageEnv]) {
    const value = name.endsWith("_URIS") ? list : references.get("default");
    if (value && !(options.isCustom && name === builtImages)) result[name] = value;
    else delete result[name];
  }
  return result;
}
