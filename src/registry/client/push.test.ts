import { afterEach, beforeEach, describe, expect, it } from "vitest";
import type { RegistryClient } from "./client.ts";
import { openRegistry } from "./open.ts";
import { type PushEvent, pushImages } from "./push.ts";
import { FakeRegistry } from "./testdata/fake-registry.ts";
import { imageOf, quickRetry } from "./testdata/images.ts";

let registry: FakeRegistry;
let client: RegistryClient;

beforeEach(async () => {
  registry = await FakeRegistry.start();
  client = openRegistry(registry.host, {
    retry: quickRetry,
    findCredential: async () => ({ searched: [], problems: [] }),
  });
});
afterEach(async () => {
  client.close();
  await registry.stop();
});

/** The requests of what runs, without those before it. */
async function requestsOf(work: () => Promise<unknown>): Promise<string[]> {
  const before = registry.seen.length;
  await work();
  return registry.log.slice(before).sort();
}

const tagOf = async (repository: string, tag: string) => (await client.headManifest(repository, tag))?.digest;

describe("pushImages", () => {
  it("sends all of an image that is new, blobs first and tags last", async () => {
    const image = imageOf(client, { repository: "a", tags: ["v1", "v2"], layers: ["one", "two", "one"] });
    expect(await pushImages([image], { check: "digest" })).toEqual(["pushed"]);
    expect(registry.log.filter((each) => each.startsWith("PUT /v2/a/blobs")).length).toBe(3);
    expect(registry.log.slice(-2)).toEqual(["PUT /v2/a/manifests/v1", "PUT /v2/a/manifests/v2"]);
    expect(await tagOf("a", "v2")).toBe(image.digest);
  });

  it("stores an image without tags by its digest", async () => {
    const image = imageOf(client, { repository: "a", layers: ["one"] });
    await pushImages([image], { check: "tags" });
    expect(await tagOf("a", image.digest)).toBe(image.digest);
  });

  it("makes one request when nothing changed, and does not even read the image", async () => {
    const image = imageOf(client, { repository: "a", tags: ["v1"], layers: ["one"] });
    await pushImages([image], { check: "digest" });
    const unread = { ...image, read: () => Promise.reject(new Error("was read")) };
    expect(await requestsOf(() => pushImages([unread], { check: "digest" }))).toEqual([
      `HEAD /v2/a/manifests/${image.digest}`,
    ]);
    expect(await requestsOf(() => pushImages([unread], { check: "tags" }))).toEqual(["HEAD /v2/a/manifests/v1"]);
  });

  it("sends one layer, a configuration and a manifest when one layer changed", async () => {
    await pushImages([imageOf(client, { repository: "a", tags: ["v1"], layers: ["base", "one"] })], {
      check: "digest",
    });
    const changed = imageOf(client, { repository: "a", tags: ["v1"], layers: ["base", "two"] });
    const requests = await requestsOf(() => pushImages([changed], { check: "digest" }));
    expect(requests.filter((each) => each.startsWith("PUT")).map((each) => each.replace(/sha256:.*/, ""))).toEqual([
      "PUT /v2/a/blobs/uploads/N",
      "PUT /v2/a/blobs/uploads/N",
      "PUT /v2/a/manifests/v1",
    ]);
  });

  it("leaves a tag at A after A, B, A, without asking for blobs again", async () => {
    const a = imageOf(client, { repository: "r", tags: ["t"], layers: ["a"] });
    const b = imageOf(client, { repository: "r", tags: ["t"], layers: ["b"] });
    for (const image of [a, b]) await pushImages([image], { check: "tags" });
    expect(await tagOf("r", "t")).toBe(b.digest);
    let outcome: unknown;
    const requests = await requestsOf(async () => {
      outcome = await pushImages([a], { check: "tags" });
    });
    expect(outcome).toEqual(["tagged"]);
    expect(requests).toEqual([`HEAD /v2/r/manifests/${a.digest}`, "HEAD /v2/r/manifests/t", "PUT /v2/r/manifests/t"]);
    expect(await tagOf("r", "t")).toBe(a.digest);
  });

  it("corrects only the tags that are wrong", async () => {
    const image = imageOf(client, { repository: "r", tags: ["right"], layers: ["a"] });
    await pushImages([image], { check: "tags" });
    const more = { ...image, tags: ["right", "wrong"] };
    const requests = await requestsOf(() => pushImages([more], { check: "tags" }));
    expect(requests).toEqual(["HEAD /v2/r/manifests/right", "HEAD /v2/r/manifests/wrong", "PUT /v2/r/manifests/wrong"]);
  });

  it("sends a blob of several images once and mounts it into the other repositories", async () => {
    const images = ["a", "b", "a"].map((repository, index) =>
      imageOf(client, { repository, tags: [`t${index}`], layers: ["shared", `own ${index}`] }),
    );
    const events: PushEvent[] = [];
    await pushImages(images, { check: "digest", parallel: 1, onEvent: (event) => events.push(event) });
    expect(registry.log.filter((each) => /^PUT .*blobs/.test(each)).length).toBe(1 + 3 + 3);
    expect(registry.seen.filter((each) => each.path.includes("from=")).length).toBe(1);
    expect(events.filter((each) => each.type === "blob" && each.outcome === "mounted").length).toBe(1);
    expect(await tagOf("a", "t2")).toBe(images[2]?.digest);
  });

  it("mounts a base's layers from its repository", async () => {
    registry.putBlob("base", Buffer.from("layer of the base"));
    await pushImages([imageOf(client, { repository: "a", layers: ["layer of the base"], mountFrom: "base" })], {
      check: "digest",
    });
    // The configuration alone was sent.
    expect(registry.log.filter((each) => /^PUT .*blobs/.test(each)).length).toBe(1);
  });

  it("completes what an interrupted push began, and sends only the rest", async () => {
    const image = imageOf(client, { repository: "a", tags: ["v1"], layers: ["one", "two", "three"] });
    registry.intervene = (request, response) => {
      if (registry.blobs.size < 2 || request.method === "HEAD") return false;
      request.resume();
      response.writeHead(403).end();
      return true;
    };
    await expect(pushImages([image], { check: "digest", parallel: 1 })).rejects.toThrow(/answered 403/);
    expect([...registry.manifests.keys()]).toEqual([]);
    registry.intervene = undefined;
    const requests = await requestsOf(() => pushImages([image], { check: "digest" }));
    expect(requests.filter((each) => /^PUT .*blobs/.test(each)).length).toBe(2);
    expect(await tagOf("a", "v1")).toBe(image.digest);
  });

  it("stops the others when one fails, and throws what that one said", async () => {
    const held: (() => void)[] = [];
    registry.intervene = (request, response) => {
      if (request.url?.startsWith("/v2/slow/")) {
        request.on("close", () => held.push(() => {}));
        return true;
      }
      response.writeHead(403).end();
      return true;
    };
    const images = ["slow", "refused"].map((repository) => imageOf(client, { repository, layers: ["x"] }));
    await expect(pushImages(images, { check: "digest" })).rejects.toThrow(/403 .* in refused/);
  });

  it("gets two that push the same at once both through", async () => {
    const image = imageOf(client, { repository: "a", tags: ["v1"], layers: ["one", "two"] });
    const both = [1, 2].map(() => pushImages([image], { check: "digest" }));
    expect((await Promise.all(both)).flat()).toEqual(["pushed", "pushed"]);
    expect(await tagOf("a", "v1")).toBe(image.digest);
  });
});
