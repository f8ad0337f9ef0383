import { generateKeyPairSync } from "node:crypto";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import type { ErrorCode } from "../../core/error-codes.ts";
import { temporaryFolder } from "../../core/testdata/folder.ts";
import { failureWith, userErrorWith } from "../../core/testdata/reported.ts";
import { type Digest, sha256 } from "../../oci/digest.ts";
import { mediaTypes } from "../../oci/media-types.ts";
import { open, registry, useRegistry } from "../../registry/client/testdata/harness.ts";
import { StoredImages } from "../../registry/client/testdata/stored-images.ts";
import { readSigningKey } from "../../signatures/keys.ts";
import { signImage } from "../../signatures/sign.ts";
import { pullBase } from "./pull.ts";

useRegistry();

const known = ["linux/amd64", "linux/arm64"];
const images = () => new StoredImages(registry, "team/base");

function pull(digest: string, request: { image?: string; platforms?: string[] } = {}) {
  const image = request.image ?? `${registry.host}/team/base`;
  return pullBase({ image, digest, platforms: request.platforms ?? [], known }, async (host) => open({}, host));
}

it("pulls nothing without the signature that the declaration or the configuration file requires", async () => {
  const folder = temporaryFolder();
  const keys = ["right", "wrong"].map((name) => {
    const { privateKey, publicKey } = generateKeyPairSync("ec", { namedCurve: "P-256" });
    writeFileSync(join(folder, `${name}.pub`), publicKey.export({ format: "pem", type: "spki" }));
    writeFileSync(join(folder, name), privateKey.export({ format: "pem", type: "pkcs8" }));
    return join(folder, name);
  });
  const [right = "", wrong = ""] = keys;
  const configuration = join(folder, "config.yaml");
  writeFileSync(configuration, `images: {${registry.host}: {require: {signature: {key: right.pub}}}}`);
  const digest = images().image({ layers: ["one"] });
  const request = { image: `${registry.host}/team/base`, digest, platforms: [], known };
  const declared = () => pullBase({ ...request, key: `${right}.pub` }, async (host) => open({}, host), {});
  const ruled = () => pullBase(request, async (host) => open({}, host), { SLIPWAY_CONFIG: configuration });
  const sign = async (key: string) => {
    const descriptor = { mediaType: mediaTypes.manifest, digest, size: 1 };
    await signImage(open(), "team/base", descriptor, await readSigningKey(key, {}));
  };
  for (const pulled of [declared, ruled]) await expect(pulled()).rejects.toThrow(failureWith("signature-missing"));
  await sign(wrong);
  for (const pulled of [declared, ruled]) await expect(pulled()).rejects.toThrow(failureWith("signature-invalid"));
  await sign(right);
  for (const pulled of [declared, ruled]) expect((await pulled()).images).toHaveLength(1);
});

/** The name of an image of the tests. */
const named = (digest: Digest) => `${registry.host}/team/base@${digest}`;

describe("pullBase", () => {
  it("fetches manifest and configuration, and asks for no layer", async () => {
    const digest = images().image({ layers: ["one", "two", "one"], tag: "v1" });
    const { source, images: pulled } = await pull(digest, { image: `${registry.host}/team/base:v1` });
    expect(source).toMatchObject({ registry: registry.host, repository: "team/base" });
    expect(pulled).toMatchObject([
      {
        platform: "linux/amd64",
        descriptor: { digest, platform: { os: "linux", architecture: "amd64" } },
        layers: [
          { digest: sha256("one"), size: 3, diffId: sha256("one") },
          { digest: sha256("two"), size: 3, diffId: sha256("two") },
        ],
      },
    ]);
    expect(sha256(pulled[0]?.manifest as Buffer)).toBe(digest);
    expect(registry.log).toEqual([
      `GET /v2/team/base/manifests/${digest}`,
      `GET /v2/team/base/blobs/${sha256(pulled[0]?.config as Buffer)}`,
    ]);
  });

  it("takes the platforms of an index that Bazel knows, or those that are named", async () => {
    const store = images();
    const index = store.index({
      "linux/amd64": store.image({ platform: "linux/amd64" }),
      "linux/arm64/v8": store.image({ platform: "linux/arm64" }),
      "linux/arm/v7": store.image({ platform: "linux/arm/v7" }),
      "unknown/unknown": store.manifest({ schemaVersion: 2, note: "an attestation" }),
    });
    const platforms = async (wanted: string[]) =>
      (await pull(index, { platforms: wanted })).images.map(({ platform }) => platform);
    expect(await platforms([])).toEqual(["linux/amd64", "linux/arm64/v8"]);
    registry.seen.length = 0;
    expect(await platforms(["linux/arm/v7"])).toEqual(["linux/arm/v7"]);
    expect(registry.log.length).toBe(3);
  });

  it("takes Docker's own types, and the digest from the reference", async () => {
    const rootfs = { type: "layers", diff_ids: [sha256("layer")] };
    const blob = images().blob(Buffer.from(JSON.stringify({ os: "linux", architecture: "amd64", rootfs })));
    const config = { mediaType: mediaTypes.dockerConfig, ...blob };
    const digest = images().image({ manifest: { mediaType: mediaTypes.dockerManifest, config } });
    const { images: pulled } = await pull("", { image: `${registry.host}/team/base@${digest}` });
    expect(pulled[0]?.descriptor.mediaType).toBe(mediaTypes.dockerManifest);
  });

  it("says which digest to write when there is none", async () => {
    const digest = images().image({ tag: "v1" });
    const image = `${registry.host}/team/base:v1`;
    const pulling = pull("", { image });
    await expect(pulling).rejects.toThrow(userErrorWith("image-unpinned", image));
    await expect(pulling).rejects.toThrow(`the tag v1 names now: digest = "${digest}",`);
    images().image({ tag: "latest", layers: [] });
    await expect(pull("")).rejects.toThrow("the tag latest names now");
  });

  it("trusts nothing that a registry sends", async () => {
    const digest = images().image({});
    const stored = registry.manifests.get(`team/base ${digest}`);
    registry.manifests.set(`team/base ${digest}`, { bytes: Buffer.from("{}"), mediaType: mediaTypes.manifest });
    await expect(pull(digest)).rejects.toThrow(failureWith("registry-failed", registry.host));
    if (stored) registry.manifests.set(`team/base ${digest}`, stored);
    const { config } = JSON.parse(stored?.bytes.toString() ?? "");
    registry.blobs.set(`team/base ${config.digest}`, Buffer.alloc(config.size));
    await expect(pull(digest)).rejects.toThrow(failureWith("registry-failed", registry.host));
  });
});

describe("a reference", () => {
  const digest = sha256("x");
  it.each<[string, string, ErrorCode, string?]>([
    ["", digest, "reference-invalid"],
    ["HOST/", digest, "reference-invalid"],
    ["HOST/Team/base", digest, "reference-invalid"],
    ["https://HOST/team/base", digest, "reference-invalid"],
    ["docker://ubuntu", digest, "reference-invalid"],
    ["uri://to/my/base/image", digest, "reference-invalid"],
    ["HOST/team/base:-v1", digest, "reference-invalid"],
    ["HOST/team/base:v 1", digest, "reference-invalid"],
    ["HOST/team/base@sha256:abc", "", "reference-invalid"],
    ["a.b:port/x", digest, "reference-invalid"],
    ["host_.x/y", digest, "reference-invalid"],
    ["HOST/team/base", "abc", "reference-invalid", "abc"],
    ["HOST/team/base", "sha256:ABC", "reference-invalid", "sha256:ABC"],
    ["HOST/team/base", `md5:${"a".repeat(32)}`, "reference-invalid", `md5:${"a".repeat(32)}`],
    [`HOST/team/base@${sha256("a")}`, sha256("b"), "reference-invalid"],
    ["HOST/team/base:absent", "", "image-not-found"],
    ["HOST/team/base", digest, "image-not-found", `HOST/team/base@${digest}`],
  ])("%j with digest %j is refused", async (image, said, code, culprit = image) => {
    const here = (text: string) => text.replace("HOST", registry.host);
    await expect(pull(said, { image: here(image) })).rejects.toThrow(userErrorWith(code, here(culprit)));
  });
});

describe("an image", () => {
  const layer = { mediaType: mediaTypes.layerGzip, digest: sha256("layer"), size: 5 };
  it.each<[string, () => Digest, ErrorCode, (string | RegExp)?]>([
    ["no JSON", () => images().manifest(Buffer.from("<html>")), "image-invalid", /^Manifest sha256:/],
    ["a list", () => images().manifest(Buffer.from("[]")), "image-invalid", /^Manifest sha256:/],
    ["schema 1", () => images().manifest({ schemaVersion: 1, fsLayers: [] }), "image-invalid", "schemaVersion"],
    ["no version", () => images().manifest({ layers: [] }), "image-invalid", "schemaVersion"],
    ["of an unknown type", () => made({ mediaType: "a/b" }), "image-invalid", "mediaType"],
    ["called something else", () => made({ mediaType: mediaTypes.index }), "image-invalid", "mediaType"],
    ["without a configuration", () => made({ config: undefined }), "image-invalid", "config"],
    ["without layers", () => made({ layers: null }), "image-invalid", "layers"],
    ["with a layer without digest", () => withLayer({ digest: "x" }), "image-invalid", "layers[0].digest"],
    ["with a layer of no size", () => withLayer({ size: -1 }), "image-invalid", "layers[0].size"],
    ["with a configuration of something else", () => artifact(), "image-unsuitable"],
    ["with a vast configuration", () => made(config({ size: 99_999_999 })), "image-unsuitable"],
    ["with a layer that may not be copied", () => foreign(), "image-unsuitable"],
    ["with more layers than its configuration", () => withDiffIds([]), "image-invalid"],
    ["with a diff id that is none", () => withDiffIds(["x"]), "image-invalid", "rootfs.diff_ids[0]"],
    ["without an operating system", () => images().image({ config: { os: undefined } }), "image-invalid", "os"],
    ["with a configuration that is no JSON", () => noJson(), "image-invalid", /^Configuration sha256:/],
    ["whose configuration is missing", () => made(config({})), "image-not-found", /\/team\/base@sha256:/],
  ])("%s is refused", async (_, make, code, culprit) => {
    const digest = make();
    await expect(pull(digest)).rejects.toThrow(userErrorWith(code, culprit ?? named(digest)));
  });

  const made = (manifest: object) => images().image({ manifest });
  const withDiffIds = (diffIds: string[]) =>
    images().image({ config: { rootfs: { type: "layers", diff_ids: diffIds } } });
  const config = (fields: object) => ({
    config: { mediaType: mediaTypes.config, digest: sha256("c"), size: 1, ...fields },
  });
  const artifact = () => made(config({ mediaType: "application/vnd.cncf.helm.config.v1+json" }));
  const noJson = () => made(config(images().blob(Buffer.from("{"))));
  const withLayer = (fields: object) => made({ layers: [{ ...layer, ...fields }] });
  const foreign = () => withLayer({ mediaType: "application/vnd.docker.image.rootfs.foreign.diff.tar.gzip" });
});

describe("an index", () => {
  it.each<[string, () => [Digest, string[]], ErrorCode, (string | RegExp)?]>([
    ["without a platform that is named", () => [indexOf("linux/amd64"), ["linux/s390x"]], "image-unsuitable"],
    ["of no platform that Bazel knows", () => [indexOf("plan9/mips"), []], "image-unsuitable"],
    ["of nothing", () => [images().index({}), []], "image-unsuitable"],
    ["whose image is missing", () => [missing(), []], "image-not-found", new RegExp(`@${sha256("?")}$`)],
    ["of an index", () => [nested(), []], "image-unsuitable"],
    ["that lies about a platform", () => [lying(), []], "image-invalid"],
    ["that is an image too", () => [both(), []], "image-invalid", /^Manifest sha256:/],
    ["with an entry that is none", () => [listing(1), []], "image-invalid", "manifests[0]"],
    ["with half a platform", () => [listing(odd), []], "image-invalid", "manifests[0].platform.architecture"],
    ["that is one image", () => [images().image({}), ["linux/arm64"]], "image-unsuitable"],
  ])("%s is refused", async (_, make, code, culprit) => {
    const [digest, platforms] = make();
    await expect(pull(digest, { platforms })).rejects.toThrow(userErrorWith(code, culprit ?? named(digest)));
  });

  const indexOf = (platform: string) => images().index({ [platform]: images().image({}) });
  const nested = () => images().index({ "linux/amd64": indexOf("linux/amd64") });
  const lying = () => images().index({ "linux/arm64": images().image({}) });
  const missing = () => images().index({ "linux/amd64": sha256("?") });
  const both = () => images().manifest({ schemaVersion: 2, mediaType: mediaTypes.index, manifests: [], layers: [] });
  const listing = (...manifests: unknown[]) =>
    images().manifest({ schemaVersion: 2, mediaType: mediaTypes.index, manifests });
  const odd = { mediaType: mediaTypes.manifest, digest: sha256("x"), size: 1, platform: { os: "linux" } };
});
