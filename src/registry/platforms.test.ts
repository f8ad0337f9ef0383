import { describe, expect, it } from "vitest";
import { userErrorWith } from "../core/testdata/reported.ts";
import type { Descriptor } from "../oci/descriptor.ts";
import { sha256 } from "../oci/digest.ts";
import { choosePlatforms } from "./platforms.ts";

function entry(platform: string | undefined, content = platform ?? "none"): Descriptor {
  const [os = "", architecture = "", variant] = (platform ?? "").split("/");
  return {
    mediaType: "application/vnd.oci.image.manifest.v1+json",
    digest: sha256(content),
    size: 1,
    ...(platform === undefined ? {} : { platform: { os, architecture, ...(variant ? { variant } : {}) } }),
  };
}

const index = ["linux/amd64", "linux/arm/v5", "linux/arm/v7", "linux/arm64/v8", "windows/amd64", "unknown/unknown"].map(
  (each) => entry(each),
);
const known = ["linux/amd64", "linux/arm/v7", "linux/arm64"];
const names = { document: "Index x", option: "`platforms`" };
const choose = (wanted: string[], manifests = index) =>
  choosePlatforms(manifests, wanted, known, names).map(({ platform }) => platform);

describe("choosePlatforms", () => {
  it("takes what Bazel has names for when nothing is asked for", () => {
    expect(choose([])).toEqual(["linux/amd64", "linux/arm/v7", "linux/arm64/v8"]);
  });

  it("takes what is asked for, also without the variant where there is one alone", () => {
    expect(choose(["linux/arm64", "windows/amd64", "linux/arm/v5"])).toEqual([
      "linux/arm64/v8",
      "windows/amd64",
      "linux/arm/v5",
    ]);
    expect(choose(["linux/arm64", "linux/arm64/v8"])).toEqual(["linux/arm64/v8"]);
  });

  it("takes the first of two for the same platform", () => {
    const first = entry("linux/amd64", "first");
    expect(choosePlatforms([first, entry("linux/amd64", "second")], [], known, names)[0]?.descriptor).toBe(first);
  });

  it.each<[string[], Descriptor[], string]>([
    [["linux/s390x"], index, "Choose in `platforms` among linux/amd64, linux/arm/v5"],
    [["linux"], index, "has no image for linux."],
    [["linux/arm"], index, "has several variants of linux/arm: linux/arm/v5, linux/arm/v7."],
    [["linux/amd64/v3"], index, "no image for linux/amd64/v3"],
    [[""], index, "has no image for ."],
    [[], [], "names no image with its platform"],
    [[], [entry(undefined)], "names no image with its platform"],
    [[], [entry("plan9/386")], "has images for plan9/386 only"],
  ])("refuses %j of an index that does not have it", (wanted, manifests, words) => {
    expect(() => choose(wanted, manifests)).toThrow(userErrorWith("image-unsuitable", "Index x"));
    expect(() => choose(wanted, manifests)).toThrow(words);
  });
});
