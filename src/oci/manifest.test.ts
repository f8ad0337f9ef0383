import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { UserError } from "../core/errors.ts";
import { userErrorWith } from "../core/testdata/reported.ts";
import { sha256 } from "./digest.ts";
import { isIndex, parseImageManifest, parseManifest } from "./manifest.ts";
import { mediaTypes } from "./media-types.ts";

const bytes = (value: unknown): Uint8Array => new TextEncoder().encode(JSON.stringify(value));
const descriptor = { mediaType: mediaTypes.config, digest: sha256("{}"), size: 2 };
const image = { schemaVersion: 2, mediaType: mediaTypes.manifest, config: descriptor, layers: [descriptor] };

describe("parseManifest", () => {
  it("keeps fields that it does not know", () => {
    expect(parseManifest(bytes({ ...image, future: 1 }))).toEqual({ ...image, future: 1 });
  });

  it("finds out what the document leaves to its media type", () => {
    const { mediaType: _, ...bare } = image;
    expect(parseManifest(bytes(bare)).mediaType).toBe(mediaTypes.manifest);
    expect(parseManifest(bytes(bare), { mediaType: `${mediaTypes.manifest}; charset=utf-8` }).mediaType).toBe(
      mediaTypes.manifest,
    );
    const index = parseManifest(bytes({ schemaVersion: 2, manifests: [] }));
    expect(isIndex(index) && index.mediaType).toBe(mediaTypes.index);
  });

  it("reads Docker's", () => {
    expect(parseManifest(bytes({ ...image, mediaType: mediaTypes.dockerManifest })).mediaType).toBe(
      mediaTypes.dockerManifest,
    );
  });

  it.each([
    [{ ...image, schemaVersion: 1 }, "schemaVersion"],
    [{ ...image, mediaType: mediaTypes.index }, "mediaType"],
    [{ ...image, layers: [descriptor, { ...descriptor, size: -1 }] }, "layers[1].size"],
    [{ ...image, layers: [{ ...descriptor, digest: "sha256:1" }] }, "layers[0].digest"],
    [{ ...image, config: undefined }, "config"],
    [{ ...image, layers: undefined }, "layers"],
    [{ ...image, layers: {} }, "layers"],
    [{ ...image, config: "x" }, "config"],
    [{ layers: [] }, "schemaVersion"],
    [{ ...image, manifests: [] }, "m.json"],
    [{ ...image, annotations: { a: 1 } }, "annotations.a"],
    [[], "m.json"],
    [null, "m.json"],
  ])("refuses %j, naming the field", (value, culprit) => {
    const parse = () => parseManifest(bytes(value), { document: "m.json" });
    expect(parse).toThrow(userErrorWith("image-invalid", culprit));
    expect(parse).toThrow(/^m\.json/);
  });

  it("refuses a document that contradicts its media type", () => {
    expect(() => parseManifest(bytes(image), { mediaType: mediaTypes.dockerManifest })).toThrow(
      userErrorWith("image-invalid", "mediaType"),
    );
    expect(() => parseImageManifest(bytes({ schemaVersion: 2, manifests: [] }))).toThrow(
      userErrorWith("image-invalid", "manifest"),
    );
  });

  it("fails with a message for people on any bytes", () => {
    fc.assert(
      fc.property(
        fc.oneof(
          fc.uint8Array(),
          fc.json().map((text) => new TextEncoder().encode(text)),
        ),
        (input) => {
          expect(() => parseManifest(input)).toThrow(UserError);
        },
      ),
    );
  });
});
