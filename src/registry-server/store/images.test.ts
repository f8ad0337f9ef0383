import { expect, it, vi } from "vitest";
import { sha256 } from "../../oci/digest.ts";
import { canonicalJson } from "../../oci/json.ts";
import { mediaTypes } from "../../oci/media-types.ts";
import { openStore } from "../store.ts";
import { manifestOf, pushImage, serverOfTest } from "../testdata/fixture.ts";
import { type ListedImage, listImages } from "./images.ts";

it("measures each image of an index once, however often indexes name each other", async () => {
  const { ask } = await serverOfTest();
  await pushImage(ask, "a", "image", ["layer"]);
  let named = manifestOf(["layer"]);
  let mediaType: string = mediaTypes.manifest;
  const image = named.length + "{}".length + "layer".length;
  let indexes = 0;
  for (let depth = 1; depth <= 7; depth++) {
    const entry = { mediaType, digest: sha256(named), size: named.length };
    mediaType = mediaTypes.index;
    named = Buffer.from(canonicalJson({ schemaVersion: 2, mediaType, manifests: Array(200).fill(entry) }));
    indexes += named.length;
    const headers = { "content-type": mediaType };
    expect((await ask("PUT", `/v2/a/manifests/${depth}`, { body: named, headers })).status).toBe(201);
  }
  const images = JSON.parse((await ask("GET", "/slipway/images")).text) as ListedImage[];
  const sizes = new Map(images.map(({ tag, size }) => [tag, size]));
  expect([sizes.get("image"), sizes.get("7")]).toEqual([image, image + indexes]);
});

it("ends when the registry stops", async () => {
  const { ask, paths } = await serverOfTest();
  for (const tag of ["1", "2", "3"]) await pushImage(ask, "a", tag, [tag]);
  const { layout, manifests } = openStore(paths.data);
  const stopping = new AbortController();
  const reads = vi.spyOn(manifests, "peek").mockImplementation(async () => {
    stopping.abort();
    return undefined;
  });
  await expect(listImages(layout, manifests, stopping.signal)).rejects.toThrow("aborted");
  expect(reads).toHaveBeenCalledTimes(1);
});
