import type { Environment } from "../core/environment.ts";
import { dockerHub, ruleHost } from "../oci/registry-host.ts";
import { type ConfiguredImages, readImages } from "./config-file.ts";
import { readConfiguration } from "./settings.ts";

/**
 * Reads the rules for the images of a repository: the entry under `images` of the configuration file with the longest name that the
 * repository is in, else the entry `*`. Names that may lead to one registry are one name here.
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
  const images = await readImages(text, path);
  const host = ruleHost(registry);
  const names = [`${host}/${repository}/`];
  // `docker.io/ubuntu` is `library/ubuntu`.
  if (host === dockerHub && repository.startsWith("library/")) names.push(`${host}/${repository.slice(8)}/`);
  const rules = [...images].filter(([key]) => names.some((name) => name.startsWith(`${key}/`)));
  const [longest] = rules.sort(([one], [other]) => other.length - one.length);
  return longest?.[1] ?? images.get("*") ?? {};
}
