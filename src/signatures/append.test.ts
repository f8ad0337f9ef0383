import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { beforeEach, describe, expect, it, onTestFinished } from "vitest";
import { userErrorWith } from "../core/testdata/reported.ts";
import { type Digest, sha256 } from "../oci/digest.ts";
import { canonicalJson } from "../oci/json.ts";
import { mediaTypes } from "../oci/media-types.ts";
import type { RunnableImage } from "../oci/runnable-image.ts";
import { FakeRegistry } from "../registry/client/testdata/fake-registry.ts";
import { StoredImages } from "../registry/client/testdata/stored-images.ts";
import { type Ask, pushBlob, putManifest, serverOfTest, stateOfTest } from "../registry-server/testdata/fixture.ts";
import { type AppendOptions, appendLayers, type LocalLayer } from "./append.ts";

let ask: Ask;
let host: string;
let folder: string;
let env: Record<string, string>;
let log: string;
let socketPath: string;
let heard: number;

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "slipway-append-"));
  onTestFinished(() => rm(folder, { recursive: true, force: true }));
  const state = await stateOfTest();
  const server = await serverOfTest({ paths: state.paths });
  ({ ask, host } = server);
  socketPath = state.paths.socket;
  log = state.paths.requests;
  env = { ...state.env, XDG_CACHE_HOME: folder };
  heard = 0;
});

/** Puts an image into the embedded registry. */
async function base(layers: readonly string[], architecture = "amd64"): Promise<Digest> {
  const config = canonicalJson({
    os: "linux",
    architecture,
    config: { Env: ["PATH=/bin"], Cmd: ["sh"] },
    rootfs: { type: "layers", diff_ids: layers.map((layer) => sha256(layer)) },
  });
  const part = (mediaType: string, bytes: Uint8Array) => ({ mediaType, digest: sha256(bytes), size: bytes.length });
  for (const bytes of [config, ...layers.map((layer) => Buffer.from(layer))]) await pushBlob(ask, "team/base", bytes);
  const manifest = canonicalJson({
    schemaVersion: 2,
    mediaType: mediaTypes.manifest,
    config: part(mediaTypes.config, config),
    layers: layers.map((layer) => part(mediaTypes.layer, Buffer.from(layer))),
  });
  expect((await putManifest(ask, "team/base", sha256(manifest), manifest)).status).toBe(201);
  return sha256(manifest);
}

async function layer(content: string): Promise<LocalLayer> {
  const blob = join(folder, sha256(content).slice(7));
  await writeFile(blob, content);
  const digest = sha256(content);
  return { blob, metadata: { mediaType: mediaTypes.layer, digest, diffId: digest, size: Buffer.byteLength(content) } };
}

const append = (image: string, options: Partial<AppendOptions> & Pick<AppendOptions, "layers">) =>
  appendLayers({ image: image as RunnableImage, env, embedded: async () => ({ socketPath, host }), ...options });

/** What was asked of the embedded registry since the last call. */
const requests = async () => {
  const lines = (await readFile(log, "utf8")).split("\n").filter((line) => line !== "");
  const since = lines.slice(heard);
  heard = lines.length;
  return since.map((line) => JSON.parse(line) as { method: string; path: string; received: number });
};

describe("appendLayers", () => {
  it("puts layers on top of an image, and asks one question when that is there", async () => {
    const image = `${host}/team/base@${await base(["one", "two"])}`;
    const layers = [await layer("code")];
    const spec = { env: { A: "b" }, workingDir: "/code" };
    const made = await append(image, { layers, spec });
    expect(made).toMatchObject({ outcome: "pushed", image: `${host}/team/base@${made.digest}` });
    const manifest = JSON.parse((await ask("GET", `/v2/team/base/manifests/${made.digest}`)).text);
    expect(manifest.layers.map(({ digest }: { digest: string }) => digest)).toEqual(["one", "two", "code"].map(sha256));
    const config = JSON.parse((await ask("GET", `/v2/team/base/blobs/${manifest.config.digest}`)).text);
    expect(config.config).toEqual({ Env: ["PATH=/bin", "A=b"], Cmd: ["sh"], WorkingDir: "/code" });
    expect((await ask("GET", `/v2/team/base/blobs/${sha256("code")}`)).text).toBe("code");

    await requests();
    expect(await append(image, { layers, spec })).toEqual({ ...made, outcome: "unchanged" });
    expect((await requests()).map(({ method, path }) => `${method} ${path}`)).toEqual([
      `HEAD /v2/team/base/manifests/${made.digest}`,
    ]);
  });

  it("mounts the image's layers into another repository, where nothing of them is sent", async () => {
    const big = "x".repeat(100_000);
    const image = `${host}/team/base@${await base([big])}`;
    await requests();
    const { digest } = await append(image, { layers: [await layer("code")], repository: "jobs/x", tags: ["t"] });
    expect((await ask("GET", "/v2/jobs/x/manifests/t")).headers["docker-content-digest"]).toBe(digest);
    const sent = (await requests()).reduce((sum, { received }) => sum + received, 0);
    expect(sent).toBeLessThan(5_000);
  });

  it("streams the image's layers from another registry, of the platform that is wanted", async () => {
    const other = await FakeRegistry.start();
    onTestFinished(() => other.stop());
    const store = new StoredImages(other, "library/python");
    const index = store.index({
      "linux/amd64": store.image({ layers: ["amd"] }),
      "linux/arm64": store.image({ platform: "linux/arm64", layers: ["arm"] }),
    });
    const image = `${other.host}/library/python@${index}`;
    const layers = [await layer("code")];
    const made = await append(image, { layers, platform: "linux/arm64" });
    const manifest = JSON.parse((await ask("GET", `/v2/library/python/manifests/${made.digest}`)).text);
    expect(manifest.layers.map(({ digest }: { digest: string }) => digest)).toEqual([sha256("arm"), sha256("code")]);
    expect((await ask("GET", `/v2/library/python/blobs/${sha256("arm")}`)).text).toBe("arm");
    // Nothing is asked of it again.
    await other.stop();
    expect((await append(image, { layers, platform: "linux/arm64" })).outcome).toBe("unchanged");
  });

  it("goes to the registry that SLIPWAY_REGISTRY names", async () => {
    const other = await FakeRegistry.start();
    onTestFinished(() => other.stop());
    const image = `${host}/team/base@${await base(["one"])}`;
    const embedded = () => Promise.reject(new Error("the embedded registry is not needed"));
    // The source is the embedded registry all the same.
    const elsewhere = { ...env, SLIPWAY_REGISTRY: other.host };
    const made = await append(image, { layers: [await layer("code")], env: elsewhere, embedded });
    expect(made.image).toBe(`${other.host}/team/base@${made.digest}`);
    expect(other.manifests.has(`team/base ${made.digest}`)).toBe(true);
    expect(other.blobs.get(`team/base ${sha256("one")}`)?.toString()).toBe("one");
  });

  it("stays below the name that the user has in that registry, unless the image is there already", async () => {
    const other = await FakeRegistry.start();
    onTestFinished(() => other.stop());
    const below = { ...env, SLIPWAY_REGISTRY: other.host, SLIPWAY_REPOSITORY_PREFIX: "team/jobs/" };
    const more = { layers: [await layer("code")], env: below };
    const made = await append(`${host}/team/base@${await base(["one"])}`, more);
    expect(made.image).toBe(`${other.host}/team/jobs/team/base@${made.digest}`);
    const again = await append(made.image, { ...more, layers: [await layer("more")] });
    expect(again.image).toBe(`${other.host}/team/jobs/team/base@${again.digest}`);
    const named = await append(made.image, { ...more, repository: "slipway/environments" });
    expect(named.image).toBe(`${other.host}/team/jobs/slipway/environments@${named.digest}`);
  });

  it("refuses a tag, and an image of another platform", async () => {
    const tagged = `${host}/team/base:v1`;
    await expect(append(tagged, { layers: [] })).rejects.toThrow(userErrorWith("image-unpinned", tagged));
    const absent = `${host}/team/base@${sha256("none")}`;
    await expect(append(absent, { layers: [] })).rejects.toThrow(userErrorWith("image-not-found", absent));
    const amd = `${host}/team/base@${await base(["one"])}`;
    await expect(append(amd, { layers: [], platform: "linux/arm64" })).rejects.toThrow(
      userErrorWith("image-unsuitable", amd),
    );
  });
});
