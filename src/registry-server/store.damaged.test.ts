import { mkdir, readFile, rm, symlink, truncate, writeFile } from "node:fs/promises";
import { expect, it } from "vitest";
import { userErrorWith } from "../core/testdata/reported.ts";
import { sha256 } from "../oci/digest.ts";
import { mediaTypes } from "../oci/media-types.ts";
import { makeRegistryFolders } from "./paths.ts";
import { startServer } from "./server.ts";
import { listImages } from "./store/images.ts";
import { openStore } from "./store.ts";
import {
  type Answer,
  type Ask,
  manifestOf,
  pushBlob,
  pushImage,
  serverOfTest,
  stateOfTest,
} from "./testdata/fixture.ts";

async function storeOfTest() {
  const { ask, paths } = await serverOfTest();
  const digest = await pushImage(ask, "a", "tag", ["layer"]);
  const { layout, manifests } = openStore(paths.data);
  const list = () => listImages(layout, manifests);
  return { ask, layout, digest, list, blob: layout.blob(digest) };
}

/** A damaged image in a list. */
const problem = (words: string) =>
  expect.objectContaining({ repository: "a", size: 0, problem: expect.stringContaining(words) });

it("hides no image behind a damaged one, in lists and when it removes what is unused", async () => {
  const { ask, blob } = await storeOfTest();
  await pushImage(ask, "b", "v1", ["other"]);
  await pushBlob(ask, "b", "lonely");
  await writeFile(blob, "{");
  const images = JSON.parse((await ask("GET", "/slipway/images")).text);
  expect(images).toEqual([problem("manifest"), expect.objectContaining({ repository: "b", tag: "v1" })]);
  const collected = JSON.parse((await ask("POST", "/slipway/gc?now")).text);
  expect(collected.skipped).toEqual([{ repository: "a", problem: expect.stringContaining("manifest") }]);
  expect((await ask("GET", `/v2/a/blobs/${sha256("layer")}`)).text).toBe("layer");
});

/** A chain of indexes, the image in the innermost. @returns the status of the last that was taken, and how many were */
async function nest(ask: Ask, count: number): Promise<{ taken: number; refusal?: Answer }> {
  let named = manifestOf(["layer"]);
  let mediaType: string = mediaTypes.manifest;
  for (let depth = 1; depth <= count; depth++) {
    const manifests = [{ mediaType, digest: sha256(named), size: named.length }];
    mediaType = mediaTypes.index;
    named = Buffer.from(JSON.stringify({ schemaVersion: 2, mediaType, manifests }));
    const headers = { "content-type": mediaType };
    const refusal = await ask("PUT", `/v2/a/manifests/${sha256(named)}`, { body: named, headers });
    if (refusal.status !== 201) return { taken: depth - 1, refusal };
  }
  return { taken: count };
}

it("refuses an index that is nested too deep when it is pushed, and names it", async () => {
  const { ask } = await storeOfTest();
  const { taken, refusal } = await nest(ask, 100);
  expect([taken, refusal?.status, refusal?.code]).toEqual([32, 400, "MANIFEST_INVALID"]);
  expect(refusal?.text).toMatch(/a@sha256:\w+ is nested in more than 32 indexes/);
  const images = JSON.parse((await ask("GET", "/slipway/images")).text) as { problem?: string }[];
  expect(images).toHaveLength(33);
  expect(images.filter((each) => each.problem !== undefined)).toEqual([]);
});

it("lists, collects and removes beside a chain of 1,500 indexes that an older version took", async () => {
  const { ask, layout, digest } = await storeOfTest();
  let named = await readFile(layout.blob(digest));
  let mediaType: string = mediaTypes.manifest;
  for (let depth = 0; depth < 1500; depth++) {
    const manifests = [{ mediaType, digest: sha256(named), size: named.length }];
    mediaType = mediaTypes.index;
    named = Buffer.from(JSON.stringify({ schemaVersion: 2, mediaType, manifests }));
    await writeFile(layout.blob(sha256(named)), named);
    await writeFile(layout.manifest("a", sha256(named)), mediaType);
  }
  await writeFile(layout.tag("a", "deep"), sha256(named));
  await pushImage(ask, "b", "v1", ["other"]);
  const images = JSON.parse((await ask("GET", "/slipway/images")).text);
  expect(images).toContainEqual(expect.objectContaining({ repository: "a", tag: "tag", digest }));
  expect(images).toContainEqual(expect.objectContaining({ repository: "b", tag: "v1" }));
  expect(images).toContainEqual(problem("nested in more than 32 indexes"));
  expect(JSON.parse((await ask("POST", "/slipway/gc?now")).text)).toMatchObject({ manifests: 0, blobs: 0 });
  expect((await ask("GET", `/v2/a/blobs/${sha256("layer")}`)).text).toBe("layer");
  expect((await ask("DELETE", `/v2/a/manifests/${sha256(named)}`)).status).toBe(202);
});

it.each(["a manifest", "annotations"])("refuses JSON in JSON without end: %s", async (where) => {
  const { ask } = await storeOfTest();
  const deep = `${"[".repeat(1_000_000)}${"]".repeat(1_000_000)}`;
  const body =
    where === "a manifest" ? deep : manifestOf(["layer"]).toString().replace(/}$/, `,"annotations":{"a":${deep}}}`);
  const headers = { "content-type": mediaTypes.manifest };
  const answer = await ask("PUT", "/v2/a/manifests/deep", { body, headers });
  expect([answer.status, answer.code]).toEqual([400, "MANIFEST_INVALID"]);
});

it("refuses an index that contains itself", async () => {
  const { layout, digest, list, blob } = await storeOfTest();
  const mediaType = mediaTypes.index;
  await writeFile(layout.manifest("a", digest), mediaType);
  const manifests = [{ mediaType, digest, size: 1 }];
  await writeFile(blob, JSON.stringify({ schemaVersion: 2, mediaType, manifests }));
  expect(await list()).toEqual([problem(`a@${digest}`)]);
});

it("does not read a manifest above the limit", async () => {
  const { ask, list, blob } = await storeOfTest();
  await truncate(blob, 2 ** 30);
  expect(await list()).toEqual([problem(blob)]);
  expect((await ask("GET", "/v2/a/manifests/tag")).status).toBe(422);
});

it.each(["blob", "tag", "media type"])("refuses a folder, a device and a circle of links as %s", async (part) => {
  const { ask, layout, digest, list, blob } = await storeOfTest();
  const path = { blob, tag: layout.tag("a", "tag"), "media type": layout.manifest("a", digest) }[part] ?? "";
  for (const replace of [() => mkdir(path), () => symlink("/dev/zero", path), () => symlink(path, path)]) {
    await rm(path, { recursive: true });
    await replace();
    expect(await list()).toContainEqual(problem(path));
    const { status, text } = await ask("GET", "/v2/a/manifests/tag");
    expect([status, text]).toEqual([422, expect.stringContaining(path)]);
  }
});

it("refuses a media type that cannot be a header field", async () => {
  const { ask, layout, digest } = await storeOfTest();
  await writeFile(layout.manifest("a", digest), "text/html\n");
  expect((await ask("GET", "/v2/a/manifests/tag")).status).toBe(422);
});

it("does not start with a link in place of a folder", async () => {
  const { paths } = await stateOfTest();
  await makeRegistryFolders(paths);
  const { layout } = openStore(paths.data);
  await symlink("/etc/passwd", layout.blobs);
  await expect(startServer(paths)).rejects.toEqual(userErrorWith("file-unwritable", layout.blobs));
});
