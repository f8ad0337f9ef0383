import { once } from "node:events";
import { readdir } from "node:fs/promises";
import { connect } from "node:net";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { sha256 } from "../../oci/digest.ts";
import { canonicalJson } from "../../oci/json.ts";
import { mediaTypes } from "../../oci/media-types.ts";
import { requestToken } from "../client.ts";
import { manifestOf, pushBlob, pushImage, putManifest, serverOfTest } from "../testdata/fixture.ts";
import { type Collected, graceOf } from "./collect.ts";

/** A server whose clock the test sets: files are as young as it says. */
async function withClock() {
  const clock = { now: Date.now() };
  const server = await serverOfTest({ now: () => clock.now });
  const gcNow = async (): Promise<Collected> => JSON.parse((await server.ask("POST", "/slipway/gc?now")).text);
  const gc = async (): Promise<Collected> => JSON.parse((await server.ask("POST", "/slipway/gc")).text) as Collected;
  const blobs = (): Promise<string[]> => readdir(join(server.paths.data, "blobs", "sha256"));
  return { ...server, clock, gc, gcNow, blobs };
}

describe("collectGarbage at once", () => {
  const later = 11_000;

  it("removes what no image needs, and abandoned uploads", async () => {
    const { ask, clock, gcNow, blobs } = await withClock();
    await pushImage(ask, "a", "v1", ["one"]);
    await pushImage(ask, "a", "v1", ["two"]);
    await pushBlob(ask, "a", "lonely");
    const { location } = (await ask("POST", "/v2/a/blobs/uploads/")).headers as { location: string };
    await ask("PATCH", location, { body: "a part" });
    clock.now += later;
    const freed = manifestOf(["one"]).length + "one".length + "lonely".length + "a part".length;
    expect(await gcNow()).toEqual({ uploads: 1, manifests: 1, blobs: 3, bytes: freed, skipped: [] });
    expect((await ask("GET", "/v2/a/manifests/v1")).status).toBe(200);
    expect(await blobs()).toHaveLength(3);
    expect((await ask("GET", location)).code).toBe("BLOB_UPLOAD_UNKNOWN");
  });

  it("leaves a push alone that goes on, though its connection is silent", async () => {
    const { ask, clock, gcNow, port, host, paths } = await withClock();
    // Files are younger than the clock.
    clock.now -= 10 * later;
    await pushBlob(ask, "a", "old");
    clock.now += later;
    const { token } = await requestToken(paths.socket, { repository: "a", actions: ["push"] });
    // As an engine that holds its connection while it compresses the next layer.
    const connection = connect(port, "127.0.0.1");
    const answered = once(connection, "data");
    connection.write(`GET /v2/ HTTP/1.1\r\nhost: ${host}\r\nauthorization: Bearer ${token}\r\n\r\n`);
    await answered;
    for (const content of ["{}", "one"]) await pushBlob(ask, "a", content);
    const { location } = (await ask("POST", "/v2/a/blobs/uploads/")).headers as { location: string };
    clock.now += 3 * later;
    expect(await gcNow()).toMatchObject({ uploads: 0, blobs: 1, bytes: "old".length });
    expect((await ask("PUT", `${location}?digest=${sha256("two")}`, { body: "two" })).status).toBe(201);
    expect((await putManifest(ask, "a", "v1", manifestOf(["one", "two"]))).status).toBe(201);
    connection.destroy();
  });

  it("goes on beside pushes without harming one", async () => {
    const { ask, gcNow } = await withClock();
    let pushing = true;
    const collecting = (async () => {
      while (pushing) await gcNow();
    })();
    await Promise.all(Array.from({ length: 20 }, (_, n) => pushImage(ask, "a", `v${n}`, [`layer ${n}`, "shared"])));
    pushing = false;
    await collecting;
    for (let n = 0; n < 20; n += 1) expect((await ask("GET", `/v2/a/blobs/${sha256(`layer ${n}`)}`)).status).toBe(200);
  });
});

describe("collectGarbage", () => {
  it("keeps all that a tag, an index or a subject keeps, however old", async () => {
    const { ask, clock, gc } = await withClock();
    const image = await pushImage(ask, "a", "v1", ["one"]);
    const child = await pushImage(ask, "a", "child", ["two"]);
    await ask("DELETE", "/v2/a/manifests/child");
    const index = canonicalJson({
      schemaVersion: 2,
      mediaType: mediaTypes.index,
      manifests: [{ mediaType: mediaTypes.manifest, digest: child, size: manifestOf(["two"]).length }],
    });
    const headers = { "content-type": mediaTypes.index };
    expect((await ask("PUT", "/v2/a/manifests/all", { body: index, headers })).status).toBe(201);
    const subject = { mediaType: mediaTypes.manifest, digest: image, size: manifestOf(["one"]).length };
    const referrer = manifestOf(["three"], { subject });
    await pushBlob(ask, "a", "three");
    await putManifest(ask, "a", sha256(referrer), referrer);

    clock.now += 10 * graceOf.manifest;
    expect(await gc()).toEqual({ uploads: 0, manifests: 0, blobs: 0, bytes: 0, skipped: [] });
    for (const digest of [image, child, sha256(index), sha256(referrer)]) {
      expect((await ask("GET", `/v2/a/manifests/${digest}`)).status).toBe(200);
    }
  });

  it("removes what nothing names, in its time, and tells how many bytes it freed", async () => {
    const { ask, clock, gc, blobs } = await withClock();
    const first = await pushImage(ask, "a", "v1", ["one"]);
    await pushImage(ask, "a", "v1", ["two"]);
    await pushBlob(ask, "a", "lonely");
    await ask("POST", "/v2/a/blobs/uploads/");

    expect(await gc()).toEqual({ uploads: 0, manifests: 0, blobs: 0, bytes: 0, skipped: [] });
    clock.now += graceOf.blob + 1;
    expect(await gc()).toEqual({ uploads: 0, manifests: 0, blobs: 1, bytes: "lonely".length, skipped: [] });
    clock.now += graceOf.upload + 1;
    expect(await gc()).toMatchObject({ uploads: 1, manifests: 0, blobs: 0 });
    clock.now += graceOf.manifest + 1;
    expect(await gc()).toEqual({
      uploads: 0,
      manifests: 1,
      blobs: 2,
      bytes: manifestOf(["one"]).length + "one".length,
      skipped: [],
    });
    expect((await ask("GET", `/v2/a/manifests/${first}`)).code).toBe("MANIFEST_UNKNOWN");
    expect((await blobs()).sort()).toEqual(
      ["{}", "two", manifestOf(["two"])].map((content) => sha256(content).slice(7)).sort(),
    );
  });

  it("removes a tag that attaches a signature to an image once the image is gone", async () => {
    const { ask, clock, gc } = await withClock();
    const [image, kept] = [await pushImage(ask, "a", "v1", ["one"]), await pushImage(ask, "a", "v2", ["two"])];
    const tags = [image, kept].map((digest) => `${digest.replace(":", "-")}.sig`);
    for (const tag of tags) await pushImage(ask, "a", tag, [tag]);
    await ask("DELETE", "/v2/a/manifests/v1");
    await gc();
    expect((await ask("GET", `/v2/a/manifests/${tags[0]}`)).status).toBe(200);
    // The image goes first, and then what is attached to it.
    for (const round of [1, 2]) {
      clock.now += 2 * graceOf.manifest;
      expect(await gc(), `round ${round}`).toMatchObject({ manifests: 1 });
    }
    expect(JSON.parse((await ask("GET", "/v2/a/tags/list")).text).tags).toEqual([tags[1], "v2"].sort());
  });

  it("keeps an image without a tag that somebody asked for lately", async () => {
    const { ask, clock, gc } = await withClock();
    const digest = await pushImage(ask, "a", "v1", ["one"]);
    await ask("DELETE", "/v2/a/manifests/v1");
    clock.now += graceOf.manifest - 1000;
    await ask("HEAD", `/v2/a/manifests/${digest}`);
    clock.now += graceOf.manifest - 1000;
    expect((await gc()).manifests).toBe(0);
    expect((await ask("GET", `/v2/a/blobs/${sha256("one")}`)).text).toBe("one");
  });

  it("takes nothing from a push that found old content and builds on it", async () => {
    const { ask, clock, gc } = await withClock();
    for (const content of ["{}", "one"]) await pushBlob(ask, "a", content);
    clock.now += graceOf.blob + 1;
    expect((await ask("HEAD", `/v2/a/blobs/${sha256("one")}`)).status).toBe(200);
    expect((await ask("POST", `/v2/b/blobs/uploads/?mount=${sha256("{}")}&from=a`)).status).toBe(201);
    expect((await gc()).blobs).toBe(0);
    expect((await ask("HEAD", `/v2/b/blobs/${sha256("{}")}`)).status).toBe(200);
    expect((await putManifest(ask, "a", "v1", manifestOf(["one"]))).status).toBe(201);
  });

  it("goes on beside pushes without harming one", async () => {
    const { ask, gc } = await withClock();
    let pushing = true;
    const collecting = (async () => {
      while (pushing) await gc();
    })();
    const layers = (n: number): string[] => [`layer ${n}`, "shared"];
    await Promise.all(Array.from({ length: 20 }, (_, n) => pushImage(ask, "a", `v${n}`, layers(n))));
    pushing = false;
    await collecting;
    for (let n = 0; n < 20; n += 1) {
      expect((await ask("GET", `/v2/a/manifests/v${n}`)).body).toEqual(manifestOf(layers(n)));
      for (const layer of layers(n)) expect((await ask("GET", `/v2/a/blobs/${sha256(layer)}`)).text).toBe(layer);
    }
  });
});
