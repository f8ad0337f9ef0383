import { UserError } from "../core/errors.ts";

/** Set by the user: replaces all images, and nothing is pushed. */
export const customImage = "SLIPWAY_CONTAINER_IMAGE";
/** Set by the launcher: `tag##repository@sha256:…` joined by `::`. */
export const builtImages = "SLIPWAY_CONTAINER_IMAGE_URIS";

/** A colon may be a port's, so entries end before a tag and `##`. */
export function parseImages(text: string): ReadonlyMap<string, string> {
  const entries = text === "" ? [] : text.split(/::(?=[^:#/@]+##)/);
  return new Map(
    entries.map((entry) => {
      const [, tag, address] = /^([^:#/@]+)##(.+)$/s.exec(entry) ?? [];
      if (tag === undefined || address === undefined) {
        throw new UserError(
          { code: "variable-invalid", culprit: builtImages },
          `${builtImages}: ${JSON.stringify(entry)} is not TAG##IMAGE.`,
          "Unset it and start the program by its Bazel target, which sets it.",
        );
      }
      return [tag, address];
    }),
  );
}
