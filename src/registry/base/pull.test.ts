import { describe, expect, it } from "vitest";
import { messageOf } from "../../core/errors.ts";
import { type Digest, sha256 } from "../../oci/digest.ts";
import { mediaTypes } from "../../oci/media-types.ts";
import { open, registry, useRegistry } from "../client/testdata/harness.ts";
import { StoredImages } from "../client/testdata/stored-images.ts";
import { type PulledBase, pullBase } from "./pull.ts";

useRegistry();

const known = ["linux/amd64", "linux/arm64"];
const images = () => new StoredImages(registry, "team/base");

function pull(digest: string, request: { image?: string; platforms?: string[] } = {}): Promise<PulledBase> {
  const image = request.image ?? `${registry.host}/team/base`;
  return pullBase({ image, digest, platforms: request.platforms ?? [], known }, async (host) => open({}, host));
}

/** What a pull says that fails. */
async function refusal(pulling: Promise<unknown>): Promise<string> {
  return pulling.then(
    () => "it succeeded",
    (error) => messageOf(error).replaceAll(registry.host, "HOST"),
  );
}

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
    const digest = images().image({
      manifest: {
        mediaType: mediaTypes.dockerManifest,
        config: { mediaType: mediaTypes.dockerConfig, ...images().blob(configOf({})) },
      },
    });
    const { images: pulled } = await pull("", { image: `${registry.host}/team/base@${digest}` });
    expect(pulled[0]?.descriptor.mediaType).toBe(mediaTypes.dockerManifest);
  });

  it("says which digest to write when there is none", async () => {
    const digest = images().image({ tag: "v1" });
    const said = await refusal(pull("", { image: `${registry.host}/team/base:v1` }));
    expect(said).toBe(
      'image = "HOST/team/base:v1" has no digest, so it would be another image whenever its tag moves.\n' +
        `Write beside it what the tag v1 names now: digest = "${digest}",`,
    );
    images().image({ tag: "latest", layers: [] });
    expect(await refusal(pull(""))).toContain("what the tag latest names now");
  });

  it("trusts nothing that a registry sends", async () => {
    const digest = images().image({});
    const stored = registry.manifests.get(`team/base ${digest}`);
    registry.manifests.set(`team/base ${digest}`, { bytes: Buffer.from("{}"), mediaType: mediaTypes.manifest });
    expect(await refusal(pull(digest))).toMatch(
      /^Registry HOST sent content of sha256:\w+, not sha256:\w+ while fetching/,
    );
    if (stored) registry.manifests.set(`team/base ${digest}`, stored);
    const { config } = JSON.parse(stored?.bytes.toString() ?? "");
    registry.blobs.set(`team/base ${config.digest}`, Buffer.alloc(config.size));
    expect(await refusal(pull(digest))).toMatch(
      /^Registry HOST sent a damaged blob from team\/base: content has digest/,
    );
  });
});

const configOf = (fields: object) =>
  Buffer.from(
    JSON.stringify({
      os: "linux",
      architecture: "amd64",
      rootfs: { type: "layers", diff_ids: [sha256("layer")] },
      ...fields,
    }),
  );

describe("a reference", () => {
  const digest = sha256("x");
  it.each<[string, string, RegExp]>([
    ["", digest, /^Image reference "": it is empty\./],
    ["HOST/", digest, /"" is not a repository name/],
    ["HOST/Team/base", digest, /"Team\/base" is not a repository name/],
    ["https://HOST/team/base", digest, /^Image reference "https:\/\/HOST\/team\/base": /],
    ["docker://ubuntu", digest, /^Image reference "docker:\/\/ubuntu": /],
    ["uri://to/my/base/image", digest, /^Image reference "uri:\/\/to\/my\/base\/image": /],
    ["HOST/team/base:-v1", digest, /"-v1" is not a tag/],
    ["HOST/team/base:v 1", digest, /"v 1" is not a tag/],
    ["HOST/team/base@sha256:abc", "", /"sha256:abc" is not a digest/],
    ["a.b:port/x", digest, /"a\.b:port" is not a host/],
    ["host_.x/y", digest, /"host_\.x" is not a host/],
    ["HOST/team/base", "abc", /^digest = "abc" is not a digest\.\nWrite sha256: and 64/],
    ["HOST/team/base", "sha256:ABC", /^digest = "sha256:ABC" is not a digest/],
    ["HOST/team/base", `md5:${"a".repeat(32)}`, /is not a digest/],
    [`HOST/team/base@${sha256("a")}`, sha256("b"), /name two images\.\nLeave one of the digests out/],
    ["HOST/team/base:absent", "", /^Registry HOST has no image absent in team\/base\./],
    ["HOST/team/base", digest, /^Registry HOST has no image sha256:\w+ in team\/base\./],
  ])("%j with digest %j is refused", async (image, said, problem) => {
    const text = await refusal(pull(said, { image: image.replace("HOST", registry.host) }));
    expect(text).toMatch(problem);
    expect(text.split("\n").length).toBe(2);
  });
});

describe("an image", () => {
  const layer = { mediaType: mediaTypes.layerGzip, digest: sha256("layer"), size: 5 };
  it.each<[string, () => Digest, RegExp]>([
    ["no JSON", () => images().manifest(Buffer.from("<html>")), /^Manifest sha256:\w+ of HOST\/team\/base is not JSON/],
    ["a list", () => images().manifest(Buffer.from("[]")), /the document is not an object/],
    [
      "schema 1",
      () => images().manifest({ schemaVersion: 1, fsLayers: [] }),
      /schemaVersion is 1, only 2 is supported/,
    ],
    ["no version", () => images().manifest({ layers: [] }), /schemaVersion is missing/],
    [
      "of an unknown type",
      () => images().manifest({ schemaVersion: 2, mediaType: "a/b" }),
      /mediaType is "a\/b", expected/,
    ],
    ["called something else", () => images().image({ manifest: { mediaType: mediaTypes.index } }), /mediaType is /],
    ["without a configuration", () => images().image({ manifest: { config: undefined } }), /config is missing/],
    ["without layers", () => images().image({ manifest: { layers: null } }), /layers is not a list/],
    [
      "with a layer without digest",
      () => images().image({ manifest: { layers: [{ ...layer, digest: "x" }] } }),
      /layers\[0\]\.digest is not/,
    ],
    [
      "with a layer of no size",
      () => images().image({ manifest: { layers: [{ ...layer, size: -1 }] } }),
      /layers\[0\]\.size is not a size/,
    ],
    [
      "with a configuration of something else",
      () => artifact(),
      /is not a container image: its configuration is of the type application\/vnd\.cncf/,
    ],
    ["with a vast configuration", () => vast(), /^The configuration of image sha256:\w+ has 99999999 bytes/],
    ["with a layer that may not be copied", () => foreign(), /^Layer sha256:\w+ of image sha256:\w+ may not be copied/],
    [
      "with more layers than its configuration",
      () => images().image({ config: { rootfs: { type: "layers", diff_ids: [] } } }),
      /has 1 layers, its configuration 0/,
    ],
    [
      "with a diff id that is none",
      () => images().image({ config: { rootfs: { type: "layers", diff_ids: ["x"] } } }),
      /^Configuration sha256:\w+ of image sha256:\w+: rootfs\.diff_ids\[0\] is not/,
    ],
    ["without an operating system", () => images().image({ config: { os: undefined } }), /: os is missing/],
    ["with a configuration that is no JSON", () => noJson(), /^Configuration sha256:\w+ of image .* is not JSON/],
    ["whose configuration is missing", () => missing(), /^Registry HOST has no blob sha256:\w+ in team\/base\./],
  ])("%s is refused", async (_, make, problem) => {
    const text = await refusal(pull(make()));
    expect(text).toMatch(problem);
    expect(text.split("\n").length).toBe(2);
  });

  const config = (fields: object) => ({
    config: { mediaType: mediaTypes.config, digest: sha256("c"), size: 1, ...fields },
  });
  const artifact = () =>
    images().image({ manifest: config({ mediaType: "application/vnd.cncf.helm.config.v1+json" }) });
  const vast = () => images().image({ manifest: config({ size: 99_999_999 }) });
  const missing = () => images().image({ manifest: config({}) });
  const noJson = () => images().image({ manifest: config(images().blob(Buffer.from("{"))) });
  const foreign = () =>
    images().image({
      manifest: { layers: [{ ...layer, mediaType: "application/vnd.docker.image.rootfs.foreign.diff.tar.gzip" }] },
    });
});

describe("an index", () => {
  it.each<[string, () => [Digest, string[]], RegExp]>([
    [
      "without a platform that is named",
      () => [indexOf("linux/amd64"), ["linux/s390x"]],
      /has no image for linux\/s390x/,
    ],
    ["of no platform that Bazel knows", () => [indexOf("plan9/mips"), []], /is for plan9\/mips alone/],
    ["of nothing", () => [images().index({}), []], /names no image with its platform/],
    ["whose image is missing", () => [images().index({ "linux/amd64": sha256("?") }), []], /has no image sha256:/],
    ["of an index", () => [nested(), []], /^Index sha256:\w+ names another index, sha256:/],
    [
      "that lies about a platform",
      () => [lying(), []],
      /says that sha256:\w+ is for linux\/arm64, its configuration for linux\/amd64/,
    ],
    ["that is an image too", () => [both(), []], /is an index and an image manifest at once/],
    [
      "with an entry that is none",
      () => [images().manifest({ schemaVersion: 2, mediaType: mediaTypes.index, manifests: [1] }), []],
      /manifests\[0\] is not an object/,
    ],
    [
      "with a platform without processor",
      () => [images().manifest(odd()), []],
      /manifests\[0\]\.platform\.architecture is missing/,
    ],
    [
      "that is one image",
      () => [images().image({}), ["linux/arm64"]],
      /is for linux\/amd64 alone, and platforms has linux\/arm64/,
    ],
  ])("%s is refused", async (_, make, problem) => {
    const [digest, platforms] = make();
    const text = await refusal(pull(digest, { platforms }));
    expect(text).toMatch(problem);
    expect(text.split("\n").length).toBe(2);
  });

  const indexOf = (platform: string) => images().index({ [platform]: images().image({}) });
  const nested = () => images().index({ "linux/amd64": indexOf("linux/amd64") });
  const lying = () => images().index({ "linux/arm64": images().image({}) });
  const both = () => images().manifest({ schemaVersion: 2, mediaType: mediaTypes.index, manifests: [], layers: [] });
  const odd = () => ({
    schemaVersion: 2,
    mediaType: mediaTypes.index,
    manifests: [{ mediaType: mediaTypes.manifest, digest: sha256("x"), size: 1, platform: { os: "linux" } }],
  });
});
