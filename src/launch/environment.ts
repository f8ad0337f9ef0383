import type { Environment } from "../core/environment.ts";
import { dryRunVariable } from "../core/protocol.ts";
import { helperSocketVariable, helperVariable, targetVariable } from "../functions/helper-variables.ts";
import { builtImages } from "../oci/image-uris.ts";
import { formatReference } from "../oci/reference.ts";
import { normalizeRegistry } from "../oci/registry-host.ts";
import type { BuiltImage } from "./image.ts";

/** Set by the script that starts the launcher. The program does not see it. */
export const runfilesFolder = "SLIPWAY_RUNFILES";

export function isDryRun(env: Environment): boolean {
  const value = env[dryRunVariable] ?? "";
  return value !== "" && value !== "0" && value !== "false";
}

/** `HOST/REPOSITORY@sha256:…` */
export function imageReference(image: BuiltImage, host: string, repository = image.requested.repository): string {
  return formatReference({ registry: normalizeRegistry(host), repository, digest: image.descriptor.digest });
}

/**
 * Sets RUNFILES_DIR because some runfiles libraries would look beside the program. Names in `imageEnv` that end in
 * `_URIS` get the list of images, others the default image.
 */
export function programEnvironment(
  env: Environment,
  runfiles: string,
  imageEnv: readonly string[],
  references: ReadonlyMap<string, string>,
  options: { readonly helper?: string | undefined; readonly isCustom?: boolean; readonly target?: string } = {},
): Record<string, string> {
  const result: Record<string, string> = {};
  for (const [name, value] of Object.entries(env)) if (value !== undefined) result[name] = value;
  delete result[runfilesFolder];
  // It belongs to the program that started this one.
  delete result[helperSocketVariable];
  result["RUNFILES_DIR"] = runfiles;
  if (options.target !== undefined) result[targetVariable] = options.target;
  if (options.helper !== undefined) result[helperVariable] = options.helper;
  const list = [...references].map(([tag, reference]) => `${tag}##${reference}`).join("::");
  for (const name of [builtImages, ...imageEnv]) {
    const value = name.endsWith("_URIS") ? list : references.get("default");
    if (value && !(options.isCustom && name === builtImages)) result[name] = value;
    else delete result[name];
  }
  return result;
}
