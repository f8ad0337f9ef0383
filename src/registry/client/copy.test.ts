import { randomBytes } from "node:crypto";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import type { ErrorCode } from "../../core/error-codes.ts";
import { failureWith, userErrorWith } from "../../core/testdata/reported.ts";
import { sha256 } from "../../oci/digest.ts";
import { mediaTypes } from "../../oci/media-types.ts";
import { copyImage, type Place } from "./copy.ts";
import { fetchManifest } from "./fetch-manifest.ts";
import type { PushEvent } from "./push.ts";
import { FakeRegistry } from "./testdata/fake-registry.ts";
import { answer, open, registry as source, useRegistry, where } from "./testdata/harness.ts";
import { StoredImages } from "./testdata/stored-images.ts";

useRegistry();

let target: FakeRegistry;
beforeEach(async () => {
  target = await FakeRegistry.start();
});
afterEach(() => target.stop());

const images = () => new StoredImages(source, "team/base");
const outcomes: string[] = [];

async function copy(
  name: string,
  options: { to?: Partial<Place>; tags?: string[]; referrers?: boolean } = {},
): Promise<void> {
  const from = { client: open(), repository: "team/base" };
  const to = { client: open({}, target.host), repository: "copies/base", ...options.to };
  const fetched = await fetchManifest(from.client, from.repository, name);
  outcomes.length = 0;
  const onEvent = (event: PushEvent) => {
    if (event.type === "blob") outcomes.push(event.outcome);
  };
  const { tags = ["v1"], referrers = false } = options;
  await copyImage({ from, to, fetched, tags, referrers, onEvent });
}

const writes = (registry: FakeRegistry) => registry.log.filter((each) => !/^(HEAD|GET) /.test(each));

describe("copyImage", () => {
  it("streams an image to another registry, byte for byte, and moves nothing a second time", async () => {
    const digest = images().image({ layers: [randomBytes(300_000).toString("hex"), "two"], tag: "v1" });
    await copy("v1");
    expect(outcomes.sort()).toEqual(["streamed", "streamed", "streamed"]);
    expect(sha256(target.manifests.get("copies/base v1")?.bytes as Buffer)).toBe(digest);
    for (const [key, bytes] of source.blobs) {
      expect(target.blobs.get(key.replace("team/base", "copies/base"))).toEqual(bytes);
    }
    target.seen.length = 0;
    source.seen.length = 0;
    await copy("v1");
    expect(target.log).toEqual(["HEAD /v2/copies/base/manifests/v1"]);
    expect(source.log).toEqual(["GET /v2/team/base/manifests/v1"]);
  });

  it("mounts within a registry, where nothing is sent", async () => {
    const digest = images().image({ layers: ["one", "two"], tag: "v1" });
    await copy("v1", { to: { client: open() } });
    expect(outcomes).toEqual(["mounted", "mounted", "mounted"]);
    expect(source.manifests.has(`copies/base ${digest}`)).toBe(true);
    expect(source.seen.reduce((sum, { bytes }) => sum + bytes, 0)).toBe(
      source.manifests.get(`copies/base ${digest}`)?.bytes.length,
    );
  });

  it("streams within a registry that cannot mount", async () => {
    images().image({ tag: "v1" });
    source.mounts = false;
    await copy("v1", { to: { client: open() } });
    expect(outcomes).toEqual(["streamed", "streamed"]);
  });

  it("copies an index with its images, and those that share layers once", async () => {
    const store = images();
    const index = store.index(
      {
        "linux/amd64": store.image({ platform: "linux/amd64", layers: ["shared", "a"] }),
        "linux/arm64": store.image({ platform: "linux/arm64", layers: ["shared", "b"] }),
      },
      { tag: "v1" },
    );
    await copy("v1", { tags: ["v1", "latest"] });
    expect(sha256(target.manifests.get("copies/base latest")?.bytes as Buffer)).toBe(index);
    expect(outcomes.filter((each) => each === "streamed").length).toBe(5);
    target.seen.length = 0;
    await copy("v1", { tags: ["v1", "latest"] });
    expect(writes(target)).toEqual([]);
  });

  it("brings signatures along when asked to, and lists them where the registry does not", async () => {
    const store = images();
    const digest = store.image({ tag: "v1" });
    const subject = { mediaType: mediaTypes.manifest, digest, size: 1 };
    const signature = store.image({
      layers: ["signature"],
      manifest: { subject, artifactType: "application/x.signature" },
    });
    const refers = { ...subject, digest: signature, artifactType: "application/x.signature" };
    const list = { schemaVersion: 2, mediaType: mediaTypes.index, manifests: [refers] };
    store.manifest(list, { tag: digest.replace(":", "-") });
    await copy("v1");
    expect(target.manifests.has(`copies/base ${signature}`)).toBe(false);
    await copy("v1", { referrers: true });
    expect(target.manifests.has(`copies/base ${signature}`)).toBe(true);
    expect(await open({}, target.host).referrers("copies/base", digest)).toEqual([refers]);
    target.seen.length = 0;
    await copy("v1", { referrers: true });
    expect(writes(target)).toEqual([]);
  });

  it("brings signatures along that are under a tag", async () => {
    const store = images();
    const digest = store.image({ tag: "v1" });
    const tag = `${digest.replace(":", "-")}.sig`;
    const signature = store.image({ layers: ["signature"], tag });
    await copy("v1");
    expect(target.manifests.has(`copies/base ${tag}`)).toBe(false);
    await copy("v1", { referrers: true });
    expect(sha256(target.manifests.get(`copies/base ${tag}`)?.bytes as Buffer)).toBe(signature);
    target.seen.length = 0;
    await copy("v1", { referrers: true });
    expect(writes(target)).toEqual([]);
  });

  it("leaves layers that may not be copied where they are", async () => {
    const mediaType = "application/vnd.docker.image.rootfs.foreign.diff.tar.gzip";
    const layers = [{ mediaType, digest: sha256("windows"), size: 7, urls: ["https://example.invalid/x"] }];
    target.intervene = where(/^PUT .*\/manifests\//, answer(201));
    images().image({ manifest: { layers }, tag: "v1" });
    await copy("v1");
    expect(outcomes).toEqual(["streamed"]);
    expect(source.log.join()).not.toContain(sha256("windows"));
  });
});

describe("a copy between registries", () => {
  it("fetches a layer from its registry, whatever other places its descriptor names, also when it is not there", async () => {
    await using elsewhere = await FakeRegistry.start();
    const urls = [`${elsewhere.url}/layer`];
    const there = { mediaType: mediaTypes.layerGzip, ...images().blob(Buffer.from("x")), urls };
    images().image({ manifest: { layers: [there] }, tag: "there" });
    await copy("there");
    const absent = { ...there, digest: sha256("y") };
    images().image({ manifest: { layers: [absent] }, tag: "absent" });
    await expect(copy("absent")).rejects.toThrow(
      userErrorWith("image-not-found", `${source.host}/team/base@${absent.digest}`),
    );
    expect(elsewhere.seen).toEqual([]);
  });

  const layer = randomBytes(2_000_000).toString("hex");

  it("goes on where the source broke off", async () => {
    images().image({ layers: [layer], tag: "v1" });
    let cuts = 3;
    source.intervene = (request, response) => {
      if (!request.url?.endsWith(sha256(layer)) || cuts-- <= 0) return false;
      const start = Number(/bytes=(\d+)/.exec(request.headers.range ?? "")?.[1] ?? 0);
      const rest = Buffer.from(layer).subarray(start);
      response.writeHead(start > 0 ? 206 : 200, { "content-length": rest.length });
      response.write(rest.subarray(0, 700_000), () => response.socket?.resetAndDestroy());
      return true;
    };
    await copy("v1");
    expect(target.blobs.get(`copies/base ${sha256(layer)}`)?.toString()).toBe(layer);
    expect(source.log.filter((each) => each.endsWith(sha256(layer))).length).toBe(4);
  });

  it("goes on where the target broke off", async () => {
    images().image({ layers: [layer], tag: "v1" });
    let cuts = 2;
    target.intervene = (request) => {
      if (!/^(PUT|PATCH)$/.test(request.method ?? "") || !request.url?.includes("/uploads/") || cuts <= 0) return false;
      if (Number(request.headers["content-length"]) < 1_000_000) return false;
      cuts--;
      request.once("data", () => request.socket.resetAndDestroy());
      return true;
    };
    await copy("v1");
    expect(cuts).toBe(0);
    expect(target.blobs.get(`copies/base ${sha256(layer)}`)?.toString()).toBe(layer);
  });

  it.each<[string, (registry: FakeRegistry) => void, ErrorCode, () => string]>([
    [
      "damage at the source",
      (registry) => registry.blobs.set(`team/base ${sha256(layer)}`, Buffer.alloc(layer.length)),
      "registry-failed",
      () => source.host,
    ],
    [
      "a blob that is too short at the source",
      (registry) => registry.blobs.set(`team/base ${sha256(layer)}`, Buffer.from(layer.slice(0, -1))),
      "registry-failed",
      () => source.host,
    ],
    [
      "a blob that is missing at the source",
      (registry) => registry.blobs.delete(`team/base ${sha256(layer)}`),
      "image-not-found",
      () => `${source.host}/team/base@${sha256(layer)}`,
    ],
    [
      "a source that refuses",
      (registry) => {
        registry.intervene = where(/\/blobs\//, answer(403));
      },
      "registry-login",
      () => source.host,
    ],
    [
      "a target that refuses",
      () => {
        target.intervene = answer(403);
      },
      "registry-login",
      () => target.host,
    ],
    [
      "a target without room",
      () => {
        target.intervene = where(/^PUT/, answer(507));
      },
      "registry-full",
      () => target.host,
    ],
  ])("with %s names the registry at fault, and leaves no tag", async (_, damage, code, culprit) => {
    images().image({ layers: [layer], tag: "v1" });
    damage(source);
    await expect(copy("v1")).rejects.toThrow(
      (code === "registry-failed" ? failureWith : userErrorWith)(code, culprit()),
    );
    expect(target.manifests.size).toBe(0);
  });
});
