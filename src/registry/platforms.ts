import { UserError } from "../core/errors.ts";
import { type Descriptor, formatPlatform, isSamePlatform } from "../oci/descriptor.ts";

/** An image of an index and the platform that the index says it is for, `os/architecture[/variant]`. */
export interface IndexedImage {
  readonly platform: string;
  readonly descriptor: Descriptor;
}

/**
 * What of an index is wanted, in the order of the index. Of several images for one platform the first counts: OCI image specification, "Image Index".
 *
 * @param wanted `os/architecture[/variant]` each; a platform without variant is also that of the one image with any. Empty: those of `known`
 * @param known platforms to take where none is wanted: an index may be for many that nobody here builds for
 * @param names how errors call the index (`document`) and what says which platforms are wanted (`option`)
 * @throws UserError when the index has nothing for a platform, or several variants of it
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
    throw new UserError(`${document} ${problem}.`, remedy);
  };
  const list = names.join(", ");
  if (names.length === 0) none("names no image with its platform", "Take the digest of one image, not of an index.");
  if (wanted.length === 0) {
    const found = [...offered.values()].filter(({ platform }) => known.some((each) => isSamePlatform(each, platform)));
    if (found.length > 0) return found;
    return none(`is for ${list} alone`, `Name in ${option} what you want of them.`);
  }
  const chosen = wanted.map((platform) => {
    const exact = offered.get(platform);
    if (exact) return exact;
    const variants = names.filter((name) => isSamePlatform(platform, name));
    if (variants.length > 1) {
      return none(`has several variants of ${platform}: ${variants.join(", ")}`, `Name one of them in ${option}.`);
    }
    const [only] = variants;
    return (
      (only && offered.get(only)) ||
      none(`has no image for ${platform}`, `Name in ${option} some of: ${list}; or take another image.`)
    );
  });
  return [...new Set(chosen)];
}
