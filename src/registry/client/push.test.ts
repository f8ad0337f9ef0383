import { mkdtempSync, readdirSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { failureWith, userErrorWith } from "../../core/testdata/reported.ts";
import type { Credential } from "../../credentials/credential.ts";
import { sha256 } from "../../oci/digest.ts";
import type { RegistryClient } from "./client.ts";
import { hintsIn } from "./hints.ts";
import { type ImageToPush, type PushEvent, type PushOptions, pushImages } from "./push.ts";
import { pushedBlobsIn } from "./pushed-blobs.ts";
import { answer, open, registry, roundsOf, useRegistry, where } from "./testdata/harness.ts";
import { imageOf } from "./testdata/images.ts";

useRegistry();
let client: RegistryClient;
beforeEach(() => {
  client = open();
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

  describe("with a memory of earlier pushes", () => {
    let state: string;
    let account: string;
    beforeEach(() => {
      state = mkdtempSync(join(tmpdir(), "push-"));
      // Of the anonymous client.
      account = `${registry.url} `;
    });
    afterEach(() => rmSync(state, { recursive: true, force: true }));
    /** Of a new launch. */
    const memory = () => pushedBlobsIn({ XDG_STATE_HOME: state });
    const push = (repository: string, by = client, own = repository) =>
      pushImages([imageOf(by, { repository, layers: ["shared", own] })], { check: "digest", pushedBlobs: memory() });
    const mounts = () => registry.seen.filter((each) => each.path.includes("from=")).map(({ path }) => path);
    const uploads = (log: readonly string[]) => log.filter((each) => /^PUT .*blobs/.test(each)).length;

    describe("of a registry that refuses unknown blobs", () => {
      const layers = Array.from({ length: 30 }, (_, index) => `layer ${index}`);
      const edited = [...layers.slice(0, -1), "edited"];
      const imageIn = (repository: string, own: string[], by = client) =>
        imageOf(by, { repository, tags: ["v1"], layers: own });
      const pushAll = (images: readonly ImageToPush[]) => pushImages(images, { check: "tags", pushedBlobs: memory() });
      const unknown = { errors: [{ code: "MANIFEST_BLOB_UNKNOWN", message: "blob unknown" }] };

      it("asks for no blob after an edit, whatever the number of images", async () => {
        const repositories = ["a", "b", "c"];
        await pushAll(repositories.map((repository) => imageIn(repository, [...layers, repository])));
        const rounds = roundsOf(registry);
        const log = await requestsOf(() =>
          pushAll(repositories.map((repository) => imageIn(repository, [...edited, repository]))),
        );
        expect(log.filter((each) => each.startsWith("HEAD"))).toEqual(
          repositories.map((repository) => `HEAD /v2/${repository}/manifests/v1`),
        );
        // The edited layer is mounted into two repositories once the first one has it.
        expect(rounds.count).toBe(5);
      });

      it("needs one round for no change, and four for an edit of one image", async () => {
        await pushAll([imageIn("a", layers)]);
        const rounds = roundsOf(registry);
        await pushAll([imageIn("a", layers)]);
        expect(rounds.count).toBe(1);
        await pushAll([imageIn("a", edited)]);
        // HEAD of the manifest, POST and PUT of the blobs, PUT of the manifest.
        expect(rounds.count).toBe(1 + 4);
      });

      it("sends what the registry has deleted since, and forgets the repository", async () => {
        await pushAll([imageIn("a", layers)]);
        const gone = sha256(Buffer.from("layer 3"));
        registry.blobs.delete(`a ${gone}`);
        const events: PushEvent[] = [];
        const image = imageIn("a", edited);
        await pushImages([image], { check: "tags", pushedBlobs: memory(), onEvent: (event) => events.push(event) });
        expect(registry.blobs.has(`a ${gone}`)).toBe(true);
        expect(await tagOf("a", "v1")).toBe(image.digest);
        const told = events.flatMap((event) => (event.type === "blob" ? [`${event.digest} ${event.outcome}`] : []));
        expect(new Set(told).size).toBe(31);
        expect(told.length).toBe(31);
        expect(told).toContain(`${gone} uploaded`);
      });

      it("prepares what the registry has deleted since", async () => {
        await pushAll([imageIn("a", layers)]);
        registry.blobs.delete(`a ${sha256(Buffer.from("layer 3"))}`);
        const sizes: number[][] = [];
        await pushImages([imageIn("a", edited)], {
          check: "tags",
          pushedBlobs: memory(),
          prepare: async (blobs) => void sizes.push(blobs.map(({ blob }) => blob.descriptor.size)),
        });
        expect(sizes).toEqual([[expect.any(Number), 6], [7]]);
      });

      it("passes a refusal on that has another reason", async () => {
        await pushAll([imageIn("a", layers)]);
        registry.intervene = where(/^PUT .*manifests/, answer(400, {}, JSON.stringify(unknown)));
        await expect(pushAll([imageIn("a", edited)])).rejects.toThrow(failureWith("registry-refused", registry.host));
        // And it forgot the repository: the next push asks.
        expect(memory().seenIn(account, "a").size).toBe(0);
      });

      it("asks another registry of the same name for blobs that only the first one has", async () => {
        await pushAll([imageIn("a", layers)]);
        registry.blobs.clear();
        registry.manifests.clear();
        const image = imageIn("a", edited);
        expect(await pushAll([image])).toEqual(["pushed"]);
        expect(registry.blobs.size).toBe(31);
      });

      it("does not believe another user's memory", async () => {
        asks("Basic realm=x");
        const [alice, bob] = ["alice", "bob"].map((username) =>
          clientOf({ kind: "password", username, password: "p" }),
        ) as [RegistryClient, RegistryClient];
        await pushAll([imageIn("a", layers, alice)]);
        const log = await requestsOf(() => pushAll([imageIn("a", edited, bob)]));
        expect(log.filter((each) => each.startsWith("HEAD /v2/a/blobs")).length).toBe(31);
      });

      it("asks for large blobs that it does not know", async () => {
        await pushAll([imageIn("a", layers)]);
        const large = Buffer.alloc(2 ** 20 + 1);
        registry.putBlob("a", large);
        const image = imageOf(client, { repository: "a", tags: ["v1"], layers: [large] });
        const log = await requestsOf(() => pushAll([image]));
        expect(log).toContain(`HEAD /v2/a/blobs/${sha256(large)}`);
        expect(log.filter((each) => /^PUT .*blobs/.test(each)).length).toBe(1);
      });
    });

    it.each([
      ["stores manifests of unknown blobs", 201],
      ["refuses all manifests with an odd layer", 422],
    ])("asks for every blob where the registry %s", async (_, status) => {
      registry.intervene = async (request, response, seen) => {
        // Only the question names a manifest by its digest here.
        if (!/^PUT .*manifests\/sha256:/.test(`${request.method} ${request.url}`)) return false;
        return answer(status)(request, response, seen);
      };
      if (status === 201) Object.assign(registry, { checksBlobs: false, intervene: undefined });
      const image = (...layers: string[]) => imageOf(client, { repository: "a", tags: ["v1"], layers });
      const pushAll = (each: ImageToPush) => pushImages([each], { check: "tags", pushedBlobs: memory() });
      await pushAll(image("one", "two"));
      expect(memory().refusesUnknown(account, "a")).toBe(false);
      const deletes = registry.log.filter((each) => each.startsWith("DELETE"));
      expect(deletes.length).toBe(status === 201 ? 1 : 0);
      registry.blobs.delete(`a ${sha256(Buffer.from("one"))}`);
      const log = await requestsOf(() => pushAll(image("one", "three")));
      expect(log).toContain(`HEAD /v2/a/blobs/${sha256(Buffer.from("one"))}`);
      expect(registry.blobs.has(`a ${sha256(Buffer.from("one"))}`)).toBe(true);
      expect(log.filter((each) => each === "PUT /v2/a/manifests/v1").length).toBe(1);
      // The question is not put again.
      expect(log.filter((each) => each.includes("PUT /v2/a/manifests/sha256"))).toEqual([]);
    });

    describe("of how a registry takes blobs", () => {
      const wise = () => open({ hints: hintsIn({ XDG_STATE_HOME: state }) });
      const posts = (log: readonly string[]) => log.filter((each) => each.startsWith("POST")).length;

      it("sends a blob in one request where the registry takes that", async () => {
        registry.takesOnePost = true;
        await push("a", wise());
        expect(registry.log.filter((each) => each.startsWith("PUT /v2/a/blobs"))).toEqual([]);
        const rounds = roundsOf(registry);
        const large = Buffer.alloc(100_000, 1);
        const image = imageOf(wise(), { repository: "a", layers: ["shared", large] });
        const log = await requestsOf(() => pushImages([image], { check: "digest", pushedBlobs: memory() }));
        expect(uploads(log)).toBe(0);
        expect(posts(log)).toBe(2);
        expect(rounds.count).toBe(3);
      });

      it("goes on with a PUT where it does not, and remembers that", async () => {
        await push("a", wise());
        const bytes = () => registry.seen.reduce((sum, each) => sum + each.bytes, 0);
        const before = bytes();
        const large = Buffer.alloc(60_000, 1);
        const image = imageOf(wise(), { repository: "a", layers: ["shared", large] });
        const log = await requestsOf(() => pushImages([image], { check: "digest", pushedBlobs: memory() }));
        expect([posts(log), uploads(log)]).toEqual([2, 2]);
        expect(bytes() - before).toBeLessThan(65_000);
      });

      it.each([400, 404, 413, 500])("opens an upload after %d", async (status) => {
        registry.intervene = where(/^POST .*\?digest=/, answer(status));
        await push("a", wise());
        expect(registry.blobs.size).toBe(3);
      });
    });

    it("mounts into another repository what one has", async () => {
      await push("a");
      const log = await requestsOf(() => push("b"));
      expect(mounts()).toEqual([
        `/v2/b/blobs/uploads/?mount=${encodeURIComponent(sha256(Buffer.from("shared")))}&from=a`,
      ]);
      // Its own layer and the configuration.
      expect(uploads(log)).toBe(2);
    });

    it("does not look into it when nothing changed", async () => {
      await push("a");
      const unread = new Error("was looked at");
      const fail = () => {
        throw unread;
      };
      const image = imageOf(client, { repository: "a", layers: ["shared", "a"] });
      const pushedBlobs = { ...memory(), find: fail, seenIn: fail, add: fail };
      const log = await requestsOf(() => pushImages([image], { check: "digest", pushedBlobs }));
      expect(log).toEqual([`HEAD /v2/a/manifests/${image.digest}`]);
    });

    it.each([
      ["no longer has the blob", () => registry.blobs.clear(), 0],
      ["does not mount", () => Object.assign(registry, { mounts: false }), 0],
      ["forbids it", () => refuseMounts(403), 1],
      ["does not know the repository", () => refuseMounts(404), 1],
    ])(
      "uploads where the registry %s, at the cost of one request at most, and remembers the better place",
      async (_, spoil, cost) => {
        await push("a");
        const fresh = await requestsOf(() => push("fresh", client, "b"));
        spoil();
        rmSync(state, { recursive: true });
        const wrong = memory();
        const image = imageOf(client, { repository: "b", layers: ["shared", "b"] });
        const digests = (await image.read()).blobs.map(({ descriptor }) => descriptor.digest);
        wrong.add(account, "a", digests);
        wrong.save();
        for (const key of [...registry.blobs.keys()]) if (key.startsWith("b ")) registry.blobs.delete(key);
        const mounted = mounts().length;
        const log = await requestsOf(() => push("b"));
        expect(mounts().length - mounted).toBe(3);
        expect(uploads(log)).toBe(3);
        // Of the three blobs of the other push one was mounted: no request to send it.
        expect(log.length).toBe(fresh.length + 1 + 3 * cost);
        expect(await tagOf("b", image.digest)).toBeDefined();
        expect(digests.map((digest) => memory().find(account, digest))).toEqual(["b", "b", "b"]);
      },
    );

    it("keeps users of a registry apart", async () => {
      asks("Basic realm=x");
      const [alice, bob] = ["alice", "bob"].map((username) =>
        clientOf({ kind: "password", username, password: "p" }),
      ) as [RegistryClient, RegistryClient];
      await push("a", alice);
      await push("b", bob);
      expect(mounts()).toEqual([]);
      await push("c", alice);
      expect(mounts().length).toBe(1);
    });

    it("remembers nothing where a token says nobody's name", async () => {
      asks('Bearer realm="http://localhost:1/token"');
      await push("a", clientOf({ kind: "registry-token", token: "t" }));
      expect(readdirSync(state)).toEqual([]);
    });

    function asks(challenge: string): void {
      const refuse = answer(401, { "www-authenticate": challenge });
      registry.intervene = (...call) => (call[0].headers.authorization === undefined ? refuse(...call) : false);
    }

    function clientOf(credential: Credential): RegistryClient {
      return open({ search: { credential, searched: [], problems: [] } });
    }

    function refuseMounts(status: number): void {
      registry.intervene = where(/from=/, answer(status));
    }
  });

  describe("with content to prepare", () => {
    const calls: string[][] = [];
    beforeEach(() => calls.splice(0));
    /** Notes the layers to prepare, and that nothing was sent before. */
    const prepare: PushOptions["prepare"] = async (blobs) => {
      expect(writes()).toEqual([]);
      calls.push(blobs.map(({ image, blob }) => `${image.repository} ${blob.descriptor.size}`).sort());
    };
    const writes = () => registry.log.filter((each) => /^(POST|PUT)/.test(each));
    const configSize = (image: ReturnType<typeof imageOf>) =>
      JSON.parse(Buffer.from(image.manifest).toString()).config.size;

    it("prepares the missing blobs of all images at once, each once, before it sends anything", async () => {
      registry.putBlob("a", Buffer.from("present"));
      const images = [
        imageOf(client, { repository: "a", tags: ["v1"], layers: ["present", "shared layer"] }),
        imageOf(client, { repository: "b", tags: ["v1"], layers: ["shared layer", "of b"] }),
      ] as const;
      await pushImages(images, { check: "digest", prepare });
      const [a, b] = images.map(configSize);
      expect(calls).toEqual([[`a ${a}`, "b 12", "b 4", `b ${b}`].sort()]);
      await pushImages(images, { check: "digest", prepare });
      expect(calls.length).toBe(1);
    });

    it("prepares blobs of the same digest and another origin on their own", async () => {
      const content = Buffer.from("layer");
      const origin = { kind: "cache", host: "cache.example.com" } as const;
      const image = imageOf(client, { repository: "a", layers: [content] });
      const other = imageOf(client, { repository: "b", layers: [content] });
      const read = async () => {
        const whole = await other.read();
        return { ...whole, blobs: whole.blobs.map((blob) => ({ ...blob, origin })) };
      };
      await pushImages([image, { ...other, read }], { check: "digest", prepare });
      const size = configSize(image);
      expect(calls).toEqual([["a 5", "b 5", `a ${size}`, `b ${size}`].sort()]);
    });

    it("sends nothing when that fails, and throws the failure", async () => {
      const images = ["a", "b"].map((repository) => imageOf(client, { repository, layers: [repository] }));
      const failing = () => Promise.reject(new Error("evicted"));
      await expect(pushImages(images, { check: "digest", prepare: failing })).rejects.toThrow("evicted");
      expect(writes()).toEqual([]);
    });
  });

  it("completes what an interrupted push began, and sends only the rest", async () => {
    const image = imageOf(client, { repository: "a", tags: ["v1"], layers: ["one", "two", "three"] });
    registry.intervene = (...call) =>
      registry.blobs.size < 2 || call[0].method === "HEAD" ? false : answer(403)(...call);
    await expect(pushImages([image], { check: "digest", parallel: 1 })).rejects.toThrow(
      userErrorWith("registry-login", registry.host),
    );
    expect([...registry.manifests.keys()]).toEqual([]);
    registry.intervene = undefined;
    const requests = await requestsOf(() => pushImages([image], { check: "digest" }));
    expect(requests.filter((each) => /^PUT .*blobs/.test(each)).length).toBe(2);
    expect(await tagOf("a", "v1")).toBe(image.digest);
  });

  it("stops the others when one fails, and throws what that one said", async () => {
    registry.intervene = (...call) => call[0].url?.startsWith("/v2/slow/") || answer(403)(...call);
    const images = ["slow", "refused"].map((repository) => imageOf(client, { repository, layers: ["x"] }));
    await expect(pushImages(images, { check: "digest" })).rejects.toThrow(/403 .* in refused/);
  });

  it("pushes the others where failures are heard of, each of which has what the failed one was to send", async () => {
    registry.intervene = (...call) =>
      call[0].method !== "HEAD" && call[0].url?.startsWith("/v2/a/") ? answer(403)(...call) : false;
    const attached: string[] = [];
    const images = ["a", "b", "c"].map((repository) => ({
      ...imageOf(client, { repository, layers: ["shared", repository] }),
      attach: async () => void attached.push(repository),
    }));
    const failed: [string, string][] = [];
    const onFailure = ({ repository }: ImageToPush, error: unknown) =>
      void failed.push([repository, (error as Error).message]);
    const prepared: string[][] = [];
    const prepare = async (blobs: readonly { image: { repository: string } }[]) => {
      prepared.push(blobs.map(({ image }) => image.repository));
      if (prepared.at(-1)?.includes("c")) throw new Error("evicted");
    };
    const options = { check: "digest", onFailure, prepare } as const;
    expect(await pushImages(images, options)).toEqual([undefined, "pushed", undefined]);
    expect(failed.sort()).toEqual([
      ["a", expect.stringMatching(/403 .* in a/)],
      ["c", "evicted"],
    ]);
    expect(prepared).toEqual(["a", "b", "c"].map((repository) => Array(3).fill(repository)));
    expect([...registry.manifests.keys()]).toEqual([`b ${images[1]?.digest}`]);
    expect(attached).toEqual(["a", "b"]);
  });

  it("attaches documents while it sends the image, and fails if that fails", async () => {
    const outcomes: string[] = [];
    const sent = Promise.withResolvers<void>();
    const attach = async (outcome: string, stored: Promise<unknown>) => {
      outcomes.push(outcome);
      sent.resolve();
      await stored;
      expect(registry.manifests.has("a v1")).toBe(true);
    };
    registry.intervene = async ({ method }) => {
      if (method === "PUT") await sent.promise;
      return false;
    };
    const image = { ...imageOf(client, { repository: "a", tags: ["v1"], layers: ["one"] }), attach };
    for (const tags of [["v1"], ["v1"], ["v2"]]) await pushImages([{ ...image, tags }], { check: "tags" });
    expect(outcomes).toEqual(["pushed", "unchanged", "tagged"]);
    const failing = { ...image, attach: () => Promise.reject(new Error("not attached")) };
    await expect(pushImages([failing], { check: "tags" })).rejects.toThrow("not attached");
    registry.intervene = answer(403);
    const other = imageOf(client, { repository: "b", layers: ["two"] });
    await expect(pushImages([{ ...failing, ...other }], { check: "tags" })).rejects.toThrow(/403 /);
  });

  it("gets two that push the same at once both through", async () => {
    const image = imageOf(client, { repository: "a", tags: ["v1"], layers: ["one", "two"] });
    const both = [1, 2].map(() => pushImages([image], { check: "digest" }));
    expect((await Promise.all(both)).flat()).toEqual(["pushed", "pushed"]);
    expect(await tagOf("a", "v1")).toBe(image.digest);
  });
});
