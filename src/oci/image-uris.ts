import { UserError } from "../core/errors.ts";

/** Set by a user: this image is used for everything. */
export const customImage = "SLIPWAY_CONTAINER_IMAGE";
/** Set by the launcher: `tag##repository@sha256:…` joined by `::`. */
export const builtImages = "SLIPWAY_CONTAINER_IMAGE_URIS";

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
