import { UserError } from "../../core/errors.ts";
import { checkDescriptor, type Descriptor, formatPlatform } from "../../oci/descriptor.ts";
import { sha256 } from "../../oci/digest.ts";
import { canonicalJson } from "../../oci/json.ts";
import type { ImageIndex } from "../../oci/manifest.ts";
import { mediaTypes } from "../../oci/media-types.ts";
import { Arguments } from "../arguments.ts";
import type { Context } from "../context.ts";

/** `index --index=OUT --descriptor=OUT --image=DESCRIPTOR…`: OCI image specification, "Image Index". */
export async function imageIndex(args: readonly string[], context: Context): Promise<void> {
  const options = new Arguments(args, ["index", "descriptor", "image"], context);
  const images = options.all("image").map((path) => ({ path, descriptor: checkDescriptor(options.json(path)) }));
  const byPlatform = new Map<string, string>();
  for (const { path, descriptor } of images) {
    if (!descriptor.platform) {
      throw unsuitable(path, `${path} names no platform.`, "Use an image that was built for one platform.");
    }
    const platform = formatPlatform(descriptor.platform);
    const other = byPlatform.get(platform);
    if (other !== undefined) {
      throw unsuitable(path, `${other} and ${path} are both for ${platform}.`, "Give each platform once.");
    }
    byPlatform.set(platform, path);
  }
  const index: ImageIndex = {
    schemaVersion: 2,
    mediaType: mediaTypes.index,
    manifests: images.map(({ descriptor }) => descriptor),
  };
  const bytes = canonicalJson(index);
  const descriptor: Descriptor = { mediaType: mediaTypes.index, digest: sha256(bytes), size: bytes.length };
  options.write({ index: bytes, descriptor: canonicalJson(descriptor) });
}

function unsuitable(path: string, problem: string, remedy: string): UserError {
  return new UserError({ code: "image-unsuitable", culprit: path }, problem, remedy);
}
