import { UserError } from "../core/errors.ts";
import { type Descriptor, formatPlatform, isSamePlatform } from "../oci/descriptor.ts";

/** `platform`: `os/architecture[/variant]`, by the index. */
export interface IndexedImage {
  readonly platform: string;
  readonly descriptor: Descriptor;
}

/**
 * The first of several for one platform ("Image Index").
 *
 * @param wanted `os/architecture[/variant]`; without variant also the one image with any. Empty: those of `known`
 */
export function choosePlatforms(
  manifests: readonly Descriptor[],
  wanted: readonly string[],
  known: readonly string[],
  { document, option }: { readonly document: string; readonly option: string },
): readonly IndexedImage[] {
  const offered = new Map<string, IndexedImage>();
  for (const descriptor of manifests) {
    // Attestations stand in indexes as images of an unknown platform.
    if (!descriptor.platform || descriptor.platform.os === "unknown") continue;
    const platform = formatPlatform(descriptor.platform);
    if (!offered.has(platform)) offered.set(platform, { platform, descriptor });
  }
  const names = [...offered.keys()];
  const none = (problem: string, remedy: string): never => {
    throw new UserError({ code: "image-unsuitable", culprit: document }, `${document} ${problem}.`, remedy);
  };
  const list = names.join(", ");
  if (names.length === 0) none("names no image with its platform", "Use the digest of one image, not of an index.");
  if (wanted.length === 0) {
    const found = [...offered.values()].filter(({ platform }) => known.some((each) => isSamePlatform(each, platform)));
    if (found.length > 0) return found;
    return none(`has images for ${list} only`, `Choose among them in ${option}.`);
  }
  const chosen = wanted.map((platform) => {
    const exact = offered.get(platform);
    if (exact) return exact;
    const variants = names.filter((name) => isSamePlatform(platform, name));
    if (variants.length > 1) {
      return none(`has several variants of ${platform}: ${variants.join(", ")}`, `Choose one of them in ${option}.`);
    }
    const [only] = variants;
    return (
      (only && offered.get(only)) ||
      none(`has no image for ${platform}`, `Choose in ${option} among ${list}, or use another image.`)
    );
  });
  return [...new Set(chosen)];
}
