import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { UserError } from "../core/errors.ts";
import { userErrorWith } from "../core/testdata/reported.ts";
import { formatPlatform, isSamePlatform, ownArchitecture } from "./descriptor.ts";
import { sha256 } from "./digest.ts";
import {
  checkIndexDepth,
  checkReferrerCount,
  isIndex,
  mostRemovable,
  parseImageManifest,
  parseManifest,
} from "./manifest.ts";
import { mediaTypes } from "./media-types.ts";

const bytes = (value: unknown): Uint8Array => new TextEncoder().encode(JSON.stringify(value));
const descriptor = { mediaType: mediaTypes.config, digest: sha256("{}"), size: 2 };
const platform = { os: "linux", architecture: "amd64" };
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
    [{ ...image, schemaVersion: 1 }, "schemaVersion", "is 1, only 2 is supported"],
    [{ layers: [] }, "schemaVersion", "is missing, only 2 is supported"],
    [
      { ...image, mediaType: mediaTypes.index },
      "mediaType",
      `is "${mediaTypes.index}", expected ${mediaTypes.manifest} or ${mediaTypes.dockerManifest}`,
    ],
    [{ schemaVersion: 2, mediaType: mediaTypes.manifest, manifests: [] }, "mediaType"],
    [{ ...image, layers: [descriptor, { ...descriptor, size: -1 }] }, "layers[1].size"],
    [{ ...image, layers: [{ ...descriptor, digest: "sha256:1" }] }, "layers[0].digest"],
    [{ ...image, layers: [{ ...descriptor, mediaType: 1 }] }, "layers[0].mediaType"],
    [{ ...image, config: undefined }, "config"],
    [{ ...image, layers: undefined }, "layers"],
    [{ ...image, layers: {} }, "layers"],
    [{ ...image, config: "x" }, "config"],
    [{ ...image, config: { ...descriptor, artifactType: 1 } }, "config.artifactType"],
    [{ ...image, config: { ...descriptor, data: 1 } }, "config.data"],
    [{ ...image, config: { ...descriptor, annotations: { a: 1 } } }, "config.annotations.a"],
    [{ ...image, config: { ...descriptor, urls: ["a", 1] } }, "config.urls[1]"],
    [{ ...image, config: { ...descriptor, platform: { os: "linux" } } }, "config.platform.architecture"],
    [{ ...image, config: { ...descriptor, platform: { architecture: "a" } } }, "config.platform.os"],
    [{ ...image, config: { ...descriptor, platform: { ...platform, variant: 1 } } }, "config.platform.variant"],
    [{ ...image, subject: { ...descriptor, size: -1 } }, "subject.size"],
    [{ ...image, artifactType: 1 }, "artifactType"],
    [{ ...image, annotations: { a: 1 } }, "annotations.a"],
    [{ ...image, manifests: [] }, "m.json", "is an index and an image manifest at once"],
    [{ schemaVersion: 2, manifests: [], config: descriptor }, "m.json", "is an index and an image manifest at once"],
    [{ schemaVersion: 2, manifests: [], layers: [] }, "m.json", "is an index and an image manifest at once"],
    [[], "m.json"],
    [null, "m.json"],
  ])("refuses %j, naming the field", (value, culprit, problem = "") => {
    const parse = () => parseManifest(bytes(value), { document: "m.json" });
    expect(parse).toThrow(userErrorWith("image-invalid", culprit));
    expect(parse).toThrow(/^m\.json/);
    expect(parse).toThrow(problem);
  });

  it("takes what the specification allows", () => {
    const full = { ...descriptor, platform: { ...platform, variant: "v1" }, urls: ["a"], annotations: { a: "b" } };
    const manifest = { ...image, layers: Array(4095).fill(descriptor), subject: full, artifactType: "a" };
    expect(parseManifest(bytes(manifest))).toEqual(manifest);
    const many = () => parseManifest(bytes({ ...manifest, layers: Array(4096).fill(descriptor) }));
    expect(many).toThrow(userErrorWith("image-invalid", "manifest"));
    expect(many).toThrow("has more than 4096 descriptors");
    const index = { schemaVersion: 2, mediaType: mediaTypes.dockerIndex, manifests: [{ ...descriptor, platform }] };
    expect(parseManifest(bytes(index))).toEqual(index);
  });

  it("refuses a document that contradicts its media type", () => {
    const parse = () => parseManifest(bytes(image), { mediaType: mediaTypes.dockerManifest });
    expect(parse).toThrow(userErrorWith("image-invalid", "mediaType"));
    expect(parse).toThrow(`is "${mediaTypes.manifest}", but it came as "${mediaTypes.dockerManifest}"`);
    const upper = { ...image, mediaType: mediaTypes.manifest.toUpperCase() };
    expect(() => parseManifest(bytes(upper), { mediaType: ` ${mediaTypes.manifest.toUpperCase()} ; q=1` })).toThrow(
      "expected",
    );
    parseManifest(bytes(image), { mediaType: ` ${mediaTypes.manifest.toUpperCase()} ; q=1` });
  });

  it.each([undefined, "m.json"])(
    "refuses an index of several platforms where one image is expected: %s",
    (document) => {
      const parse = () =>
        parseImageManifest(bytes({ schemaVersion: 2, manifests: [] }), { ...(document && { document }) });
      expect(parse).toThrow(userErrorWith("image-invalid", document ?? "manifest"));
      expect(parse).toThrow("is an index of several platforms");
      expect(() => parseManifest(bytes([]), { ...(document && { document }) })).toThrow(
        userErrorWith("image-invalid", document ?? "manifest"),
      );
    },
  );

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

describe("a platform", () => {
  it.each([
    ["linux/amd64", "linux/amd64", true],
    ["linux/arm64", "linux/arm64/v8", true],
    ["linux/arm64/v8", "linux/arm64", false],
    ["linux/arm64/v8", "linux/arm64/v8/x", false],
    ["linux/arm", "linux/arm64", false],
    ["linux", "linux/amd64", false],
    ["linux/amd64", "linux/arm64", false],
  ])("%s is met by %s: %s", (wanted, platform, met) => {
    expect(isSamePlatform(wanted, platform)).toBe(met);
  });

  it("is written with its variant", () => {
    expect([formatPlatform(platform), formatPlatform({ ...platform, variant: "v1" })]).toEqual([
      "linux/amd64",
      "linux/amd64/v1",
    ]);
  });

  it.each([
    ["x64", "amd64"],
    ["ia32", "386"],
    ["ppc64", "ppc64le"],
    ["arm64", "arm64"],
  ])("has Go's name for this machine: %s is %s", (arch, name) => {
    const own = Object.getOwnPropertyDescriptor(process, "arch") as PropertyDescriptor;
    Object.defineProperty(process, "arch", { ...own, value: arch });
    try {
      expect(ownArchitecture()).toBe(name);
    } finally {
      Object.defineProperty(process, "arch", own);
    }
  });
});

it.each([
  ["nested indexes", 32, checkIndexDepth],
  ["referrers", 1000, checkReferrerCount],
  ["referrers to remove", 20_000, (count: number, image: string) => checkReferrerCount(count, image, mostRemovable)],
])("%s are at most %i", (_, most, check) => {
  check(most, "a.example/b");
  expect(() => check(most + 1, "a.example/b")).toThrow(userErrorWith("image-invalid", "a.example/b"));
});
