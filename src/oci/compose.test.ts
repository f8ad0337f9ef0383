import { describe, expect, it } from "vitest";
import { userErrorWith } from "../core/testdata/reported.ts";
import { type BaseImage, composeImage } from "./compose.ts";
import { parseImageConfig } from "./config.ts";
import { sha256 } from "./digest.ts";
import { canonicalJson } from "./json.ts";
import type { LayerMetadata } from "./layer.ts";
import { parseImageManifest } from "./manifest.ts";
import { mediaTypes } from "./media-types.ts";

const layer = (name: string): LayerMetadata => ({
  mediaType: mediaTypes.layerGzip,
  digest: sha256(`${name} compressed`),
  size: 10,
  diffId: sha256(name),
  comment: name,
});

const baseConfig = {
  os: "linux",
  architecture: "amd64",
  created: "2020-01-01T00:00:00Z",
  config: {
    Env: ["PATH=/bin", "LANG=C"],
    Entrypoint: ["/bin/sh"],
    Cmd: ["-c", "true"],
    User: "root",
    Labels: { a: "1" },
  },
  rootfs: { type: "layers", diff_ids: [sha256("base")] },
  history: [{ created_by: "x" }, { created_by: "ENV", empty_layer: true }],
};

function base(config: object = baseConfig): BaseImage {
  const bytes = canonicalJson(config);
  const manifest = canonicalJson({
    schemaVersion: 2,
    mediaType: mediaTypes.dockerManifest,
    config: { mediaType: mediaTypes.dockerConfig, digest: sha256(bytes), size: bytes.length },
    layers: [
      { mediaType: "application/vnd.docker.image.rootfs.diff.tar.gzip", digest: sha256("base compressed"), size: 4 },
    ],
  });
  return { manifest, config: bytes };
}

const spec = { os: "linux", architecture: "amd64" };
const read = (image: ReturnType<typeof composeImage>) => ({
  manifest: parseImageManifest(image.manifest),
  config: parseImageConfig(image.config),
});

describe("composeImage", () => {
  it("describes what it made", () => {
    const image = composeImage({ layers: [layer("a")], spec: { ...spec, annotations: { k: "v" } } });
    const { manifest, config } = read(image);
    expect(image.descriptor).toEqual({
      mediaType: mediaTypes.manifest,
      digest: sha256(image.manifest),
      size: image.manifest.length,
      platform: spec,
    });
    expect(manifest.config).toEqual({
      mediaType: mediaTypes.config,
      digest: sha256(image.config),
      size: image.config.length,
    });
    expect(manifest.annotations).toEqual({ k: "v" });
    expect(manifest.layers).toEqual([{ mediaType: mediaTypes.layerGzip, digest: layer("a").digest, size: 10 }]);
    expect(config.rootfs.diff_ids).toEqual([layer("a").diffId]);
    expect(config.history).toEqual([{ created: "1970-01-01T00:00:00Z", created_by: "slipway", comment: "a" }]);
    expect(config.created).toBe("1970-01-01T00:00:00Z");
  });

  it("gives the image and its own layers the creation time, and keeps the base's", () => {
    const history = [{ created: "2020-01-01T00:00:00Z" }];
    const image = composeImage({
      base: base({ ...baseConfig, history }),
      layers: [layer("a")],
      spec: { ...spec, epoch: 1_700_000_000 },
    });
    const { manifest, config } = read(image);
    const created = "2023-11-14T22:13:20Z";
    expect(config.created).toBe(created);
    expect(config.history).toEqual([...history, { created, created_by: "slipway", comment: "a" }]);
    const { layers } = read(composeImage({ base: base(), layers: [layer("a")], spec })).manifest;
    expect(manifest.layers).toEqual(layers);
  });

  it.each([
    [undefined, "1000:1000"],
    ["", "1000:1000"],
    ["root", "1000:1000"],
    ["0:0", "1000:1000"],
    ["rooted", "rooted"],
    ["1001", "1001"],
  ])("takes the default user where the base's is %j", (baseUser, user) => {
    const config = { ...baseConfig, config: { ...baseConfig.config, User: baseUser } };
    const spec = { defaultUser: "1000:1000", defaultHome: "/home/slipway" };
    const composed = read(composeImage({ base: base(config), layers: [], spec })).config.config;
    expect(composed?.User).toBe(user);
    expect(composed?.Env?.includes("HOME=/home/slipway")).toBe(user === "1000:1000");
  });

  it("prefers the user that is asked for to the default", () => {
    const spec = { user: "root", defaultUser: "1000:1000", defaultHome: "/h" };
    const image = composeImage({ base: base(), layers: [], spec });
    expect(read(image).config.config).toMatchObject({ User: "root", Env: ["PATH=/bin", "LANG=C"] });
  });

  it("gives the same bytes in whatever order mappings were written", () => {
    const one = { ...spec, env: { A: "1", B: "2" }, labels: { x: "1", y: "2" } };
    const two = { labels: { y: "2", x: "1" }, env: { B: "2", A: "1" }, ...spec };
    const layers = [layer("a")];
    expect(composeImage({ layers, spec: two })).toEqual(composeImage({ layers, spec: one }));
  });

  it("goes on top of a base, in OCI's names", () => {
    const { manifest, config } = read(composeImage({ base: base(), layers: [layer("a")], spec: {} }));
    expect(manifest.layers.map((each) => [each.mediaType, each.digest])).toEqual([
      [mediaTypes.layerGzip, sha256("base compressed")],
      [mediaTypes.layerGzip, layer("a").digest],
    ]);
    expect(config.rootfs.diff_ids).toEqual([sha256("base"), layer("a").diffId]);
    expect(config.config).toEqual(baseConfig.config);
    expect(config.history?.length).toBe(3);
  });

  it("has a runtime once, also where the base brings it", () => {
    const runtime = { ...layer("base"), unlessInBase: true };
    const digests = (layers: Parameters<typeof composeImage>[0]["layers"]) => {
      const { manifest, config } = read(composeImage({ base: base(), layers, spec: {} }));
      expect(config.rootfs.diff_ids.length).toBe(manifest.layers.length);
      return manifest.layers.map(({ digest }) => digest);
    };
    expect(digests([runtime, layer("a")])).toEqual([runtime.digest, layer("a").digest]);
    expect(digests([layer("base")])).toEqual([runtime.digest, runtime.digest]);
    expect(digests([{ ...layer("b"), unlessInBase: true }])).toEqual([runtime.digest, layer("b").digest]);
  });

  it("merges env and labels over the base's, and lets an entrypoint drop its arguments", () => {
    const added = { env: { PATH: "/app:/bin", NEW: "a=b" }, labels: { b: "2" } };
    const changes = { ...added, entrypoint: ["/app/x"], user: "1000" };
    const { config } = read(composeImage({ base: base(), layers: [], spec: changes }));
    expect(config.config).toEqual({
      Env: ["PATH=/app:/bin", "LANG=C", "NEW=a=b"],
      Entrypoint: ["/app/x"],
      User: "1000",
      Labels: { a: "1", b: "2" },
    });
    expect(read(composeImage({ base: base(), layers: [], spec: { cmd: ["x"] } })).config.config).toMatchObject({
      Entrypoint: ["/bin/sh"],
      Cmd: ["x"],
    });
  });

  it("makes up a history that counts right when the base has none", () => {
    const { history: _, ...without } = baseConfig;
    const { config } = read(composeImage({ base: base(without), layers: [layer("a")], spec: {} }));
    expect(config.history).toEqual([
      { created: "1970-01-01T00:00:00Z", comment: "base image" },
      { created: "1970-01-01T00:00:00Z", created_by: "slipway", comment: "a" },
    ]);
  });

  it("sets only what is given: a working folder, an empty value, a variant, a comment", () => {
    const { comment: _, ...bare } = layer("a");
    const empty = composeImage({ layers: [bare], spec });
    expect(read(empty).config).toEqual({
      ...spec,
      created: "1970-01-01T00:00:00Z",
      config: {},
      rootfs: { type: "layers", diff_ids: [bare.diffId] },
      history: [{ created: "1970-01-01T00:00:00Z", created_by: "slipway" }],
    });
    expect(read(empty).manifest).not.toHaveProperty("annotations");
    const set = { ...spec, variant: "v8", workingDir: "/w", env: { B: "", A: "1" }, labels: {}, annotations: {} };
    const full = composeImage({ layers: [], spec: set });
    expect(read(full).config).toMatchObject({ variant: "v8", config: { WorkingDir: "/w", Env: ["A=1", "B="] } });
    expect(read(full).config.config).toEqual({ WorkingDir: "/w", Env: ["A=1", "B="] });
    expect(full.descriptor.platform).toEqual({ ...spec, variant: "v8" });
    expect(read(full).manifest).not.toHaveProperty("annotations");
  });

  it("keeps a base that no user is asked for, and a default user without a home", () => {
    const config = { ...baseConfig, config: { ...baseConfig.config, User: "xroot" } };
    expect(read(composeImage({ base: base(config), layers: [], spec: {} })).config.config).toEqual(config.config);
    const spec = { defaultUser: "1000" };
    expect(read(composeImage({ base: base(), layers: [], spec })).config.config).toEqual({
      ...baseConfig.config,
      User: "1000",
    });
    expect(read(composeImage({ base: base(config), layers: [], spec })).config.config?.User).toBe("xroot");
  });

  it("reads environment entries of the base as the kernel does", () => {
    const config = { ...baseConfig, config: { Env: ["A=b=c\nd", "EMPTY=", "BARE"] } };
    const image = composeImage({ base: base(config), layers: [], spec: { env: { N: "1" } } });
    expect(read(image).config.config?.Env).toEqual(["A=b=c\nd", "EMPTY=", "BARE=", "N=1"]);
  });

  it.each([
    ["another architecture", { architecture: "arm64" }, {}, userErrorWith("image-unsuitable", "the base image")],
    ["another system", { os: "windows" }, {}, userErrorWith("image-unsuitable", "the base image")],
    ["another variant", { variant: "v6" }, { variant: "v7" }, userErrorWith("image-unsuitable", "the base image")],
    ["an empty name", { env: { "": "" } }, {}, userErrorWith("variable-invalid", "")],
    ["a name that is none", { env: { "A=B": "" } }, {}, userErrorWith("variable-invalid", "A=B")],
    ["a base that does not add up", {}, { rootfs: { type: "layers", diff_ids: [] } }, userErrorWith("image-invalid")],
  ])("refuses %s", (_, spec, config, error) => {
    expect(() => composeImage({ base: base({ ...baseConfig, ...config }), layers: [], spec })).toThrow(error);
  });

  it("refuses parts of two bases, and no platform", () => {
    expect(() =>
      composeImage({ base: { ...base(), config: canonicalJson({ ...baseConfig, author: "x" }) }, layers: [], spec }),
    ).toThrow(userErrorWith("image-invalid", "the base image"));
    expect(() => composeImage({ layers: [], spec: { os: "linux" } })).toThrow(
      userErrorWith("field-invalid", "architecture"),
    );
    expect(() => composeImage({ layers: [], spec: { architecture: "arm64" } })).toThrow(
      userErrorWith("field-invalid", "os"),
    );
  });

  it.each(["manifest", "config"] as const)("names the base whose %s is damaged", (part) => {
    const damaged = { ...base(), [part]: Buffer.from("{"), name: "a.example/b:1" };
    expect(() => composeImage({ base: damaged, layers: [], spec })).toThrow(
      userErrorWith("image-invalid", /a\.example\/b:1$/),
    );
  });
});
