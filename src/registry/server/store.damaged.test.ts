import { mkdir, rm, symlink, truncate, writeFile } from "node:fs/promises";
import { expect, it } from "vitest";
import { reported } from "../../core/testdata/reported.ts";
import { mediaTypes } from "../../oci/media-types.ts";
import { makeRegistryFolders } from "./paths.ts";
import { startServer } from "./server.ts";
import { listImages } from "./store/images.ts";
import { openStore } from "./store.ts";
import { pushImage, serverOfTest, stateOfTest } from "./testdata/fixture.ts";

async function storeOfTest() {
  const { ask, paths } = await serverOfTest();
  const digest = await pushImage(ask, "a", "tag", ["layer"]);
  const { layout, manifests } = openStore(paths.data);
  const list = () => listImages(layout, manifests);
  return { ask, layout, digest, list, blob: layout.blob(digest) };
}

it("refuses an index that contains itself", async () => {
  const { layout, digest, list, blob } = await storeOfTest();
  const mediaType = mediaTypes.index;
  await writeFile(layout.manifest("a", digest), mediaType);
  const manifests = [{ mediaType, digest, size: 1 }];
  await writeFile(blob, JSON.stringify({ schemaVersion: 2, mediaType, manifests }));
  await expect(list()).rejects.toEqual(reported("image-invalid", `a@${digest}`));
});

it("does not read a manifest above the limit", async () => {
  const { ask, list, blob } = await storeOfTest();
  await truncate(blob, 2 ** 30);
  await expect(list()).rejects.toEqual(reported("image-invalid", blob));
  expect((await ask("GET", "/v2/a/manifests/tag")).status).toBe(422);
});

it.each(["blob", "tag", "media type"])("refuses a folder, a device and a circle of links as %s", async (part) => {
  const { ask, layout, digest, list, blob } = await storeOfTest();
  const path = { blob, tag: layout.tag("a", "tag"), "media type": layout.manifest("a", digest) }[part] ?? "";
  for (const replace of [() => mkdir(path), () => symlink("/dev/zero", path), () => symlink(path, path)]) {
    await rm(path, { recursive: true });
    await replace();
    await expect(list()).rejects.toThrow(path);
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
  await expect(startServer(paths)).rejects.toEqual(reported("file-unwritable", layout.blobs));
});
