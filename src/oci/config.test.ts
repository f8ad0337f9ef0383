import { describe, expect, it } from "vitest";
import { userErrorWith } from "../core/testdata/reported.ts";
import { checkDiffIds, parseImageConfig } from "./config.ts";
import { sha256 } from "./digest.ts";
import { mediaTypes } from "./media-types.ts";

const image = {
  os: "linux",
  architecture: "arm64",
  variant: "v8",
  rootfs: { type: "layers", diff_ids: [sha256("a")] },
  history: [{ created: "2020-01-01T00:00:00Z", author: "a", created_by: "b", comment: "c", empty_layer: true }],
  config: {
    User: "1",
    WorkingDir: "/w",
    StopSignal: "SIGINT",
    Env: ["A=1"],
    Entrypoint: ["/e"],
    Cmd: ["c"],
    Labels: { l: "1" },
  },
  future: 1,
};
const parse = (value: unknown) => parseImageConfig(Buffer.from(JSON.stringify(value)), "c.json");

describe("parseImageConfig", () => {
  it("keeps fields that it does not know", () => {
    expect(parse(image)).toEqual(image);
  });

  it("needs a platform and layers only, and takes null for nothing, as Go's encoders write it", () => {
    const { os, architecture, rootfs } = image;
    const nothing = { variant: null, history: null, config: null };
    expect(parse({ os, architecture, rootfs, ...nothing })).toEqual({ os, architecture, rootfs, ...nothing });
    const config = { User: null, Env: null, Labels: null };
    expect(parse({ os, architecture, rootfs, config })).toEqual({ os, architecture, rootfs, config });
  });

  it.each([
    [{ os: undefined }, "os"],
    [{ os: 1 }, "os"],
    [{ architecture: undefined }, "architecture"],
    [{ architecture: 1 }, "architecture"],
    [{ variant: 1 }, "variant"],
    [{ rootfs: undefined }, "rootfs"],
    [{ rootfs: { ...image.rootfs, type: "disks" } }, "rootfs.type"],
    [{ rootfs: { type: "layers" } }, "rootfs.diff_ids"],
    [{ rootfs: { type: "layers", diff_ids: [sha256("a"), "md5:1"] } }, "rootfs.diff_ids[1]"],
    [{ history: {} }, "history"],
    [{ history: [{}, 1] }, "history[1]"],
    ...["created", "author", "created_by", "comment"].map((key) => [{ history: [{ [key]: 1 }] }, `history[0].${key}`]),
    [{ config: 1 }, "config"],
    ...["Env", "Entrypoint", "Cmd"].map((key) => [{ config: { [key]: ["a", 1] } }, `config.${key}[1]`]),
    ...["Env", "Entrypoint", "Cmd"].map((key) => [{ config: { [key]: "a" } }, `config.${key}`]),
    ...["User", "WorkingDir", "StopSignal"].map((key) => [{ config: { [key]: 1 } }, `config.${key}`]),
    [{ config: { Labels: { a: 1 } } }, "config.Labels.a"],
  ] as [object, string][])("refuses %j, naming the field", (change, culprit) => {
    expect(() => parse({ ...image, ...change })).toThrow(userErrorWith("image-invalid", culprit));
  });

  it("calls the document a configuration if it has no name", () => {
    expect(() => parseImageConfig(Buffer.from("[]"))).toThrow(userErrorWith("image-invalid", "image configuration"));
  });
});

it("an image's configuration and manifest have the same number of layers", () => {
  const layer = { mediaType: mediaTypes.layer, digest: sha256("a"), size: 1 };
  const manifest = (count: number) => ({
    schemaVersion: 2 as const,
    mediaType: mediaTypes.manifest,
    config: layer,
    layers: Array.from({ length: count }, () => layer),
  });
  checkDiffIds(manifest(1), parse(image), "a:1");
  for (const count of [0, 2]) {
    expect(() => checkDiffIds(manifest(count), parse(image), "a:1")).toThrow(userErrorWith("image-invalid", "a:1"));
  }
});
