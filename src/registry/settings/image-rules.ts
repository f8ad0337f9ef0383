import type { Environment } from "../../core/environment.ts";
import { normalizeRegistry } from "../../oci/reference.ts";
import { type ConfiguredImages, readImages } from "./config-file.ts";
import { readConfiguration } from "./settings.ts";

/**
 * Reads the rules for the images of a repository: the entry under `images` of the configuration file with the longest name that the
 * repository is in.
 *
 * @param registry `host[:port]`
 * @throws UserError that names the file, and the line and key in it
 */
export async function imageRules(
  registry: string,
  repository: string,
  env: Environment = process.env,
): Promise<ConfiguredImages> {
  const { path, text } = readConfiguration(env);
  // Parsing the file takes longer than the rest of a launch without changes.
  if (!text?.includes("images")) return {};
  const name = `${normalizeRegistry(registry)}/${repository}/`;
  const rules = [...(await readImages(text, path))].filter(([key]) => name.startsWith(`${key}/`));
  const [longest] = rules.sort(([one], [other]) => other.length - one.length);
  return longest?.[1] ?? {};
}
