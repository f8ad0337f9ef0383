import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { UserError } from "../core/errors.ts";
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
    [{ ...image, schemaVersion: 1 }, /schemaVersion is 1, only 2/],
    [{ ...image, mediaType: mediaTypes.index }, /mediaType is ".*index.*", expected .*manifest/],
    [{ ...image, layers: [descriptor, { ...descriptor, size: -1 }] }, /layers\[1\]\.size is not a size/],
    [{ ...image, layers: [{ ...descriptor, digest: "sha256:1" }] }, /layers\[0\]\.digest is not a sha256/],
    [{ ...image, config: undefined }, /config is missing/],
    [{ ...image, layers: undefined }, /layers is missing/],
    [{ ...image, layers: {} }, /layers is not a list/],
    [{ ...image, config: "x" }, /config is not an object/],
    [{ layers: [] }, /schemaVersion is missing, only 2/],
    [{ ...image, manifests: [] }, /an index and an image manifest at once/],
    [{ ...image, annotations: { a: 1 } }, /annotations\.a is not a text/],
    [[], /the document is not an object/],
    [null, /the document is not an object/],
  ])("refuses %j, naming the field", (value, problem) => {
    expect(() => parseManifest(bytes(value), { document: "m.json" })).toThrow(problem);
    expect(() => parseManifest(bytes(value), { document: "m.json" })).toThrow(/^m\.json/);
  });

  it("refuses a document that contradicts its media type", () => {
    expect(() => parseManifest(bytes(image), { mediaType: mediaTypes.dockerManifest })).toThrow(/but it came as/);
    expect(() => parseImageManifest(bytes({ schemaVersion: 2, manifests: [] }))).toThrow(/expected one image/);
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
