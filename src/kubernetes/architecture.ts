import { architectureLabel, type PlacedResources } from "../config/resources.ts";
import type { Environment } from "../core/environment.ts";
import { UserError } from "../core/errors.ts";
import { parseImageConfig } from "../oci/config.ts";
import { SourceImage } from "../registry/source-image.ts";

/** Refuses an image for another architecture than its nodes have. Accepts an image that this machine cannot read. */
export async function checkArchitecture(image: string, { nodeSelector }: PlacedResources, env: Environment) {
  const wanted = nodeSelector?.[architectureLabel];
  const found = wanted === undefined ? undefined : await architectureOf(image, wanted, env);
  if (found === wanted) return;
  throw new UserError(
    { code: "image-unsuitable", culprit: image },
    `Image ${image} is not for ${wanted}, the architecture of its instance type.`,
    `Build it for linux/${wanted}, set \`platform\` of the job to that, or choose another instance type.`,
  );
}

/** @returns the wanted architecture if the image has it, or cannot be read */
async function architectureOf(image: string, wanted: string, env: Environment): Promise<string | undefined> {
  using source = new SourceImage({ image, env, platform: `linux/${wanted}` });
  try {
    return parseImageConfig((await source.read()).config, `Configuration of ${image}`).architecture;
  } catch (error) {
    return error instanceof UserError && error.code === "image-unsuitable" ? undefined : wanted;
  }
}
