import { expect, it } from "vitest";
import { userErrorWith } from "../../core/testdata/reported.ts";
import { sha256 } from "../../oci/digest.ts";
import type { ImageManifest } from "../../oci/manifest.ts";
import { mediaTypes } from "../../oci/media-types.ts";
import { parseReference } from "../../oci/reference.ts";
import { fetchImage, type NamedImage, readConfig } from "./named-image.ts";

const reference = parseReference("registry.example.com/a:1");
const digest = sha256("");

it("refuses an index that contains itself", async () => {
  const mediaType = mediaTypes.index;
  const platform = { os: "linux", architecture: "amd64" };
  const manifests = [{ mediaType, digest, size: 1, platform }];
  const bytes = Buffer.from(JSON.stringify({ schemaVersion: 2, mediaType, manifests }));
  let asked = 0;
  const getManifest = async () => {
    if (++asked > 200) throw new Error("no end");
    return { bytes, descriptor: { mediaType, digest, size: bytes.length } };
  };
  const image = { client: { getManifest }, repository: "a", name: "1", reference } as unknown as NamedImage;
  await expect(fetchImage(image)).rejects.toEqual(userErrorWith("image-invalid", "registry.example.com/a:1"));
});

it("refuses an image of thousands of layers", async () => {
  const part = { mediaType: mediaTypes.layer, digest, size: 0 };
  const manifest = { config: part, layers: Array(1001).fill(part) } as unknown as ImageManifest;
  const image = { reference } as unknown as NamedImage;
  await expect(readConfig(image, manifest, "a")).rejects.toEqual(userErrorWith("image-invalid", "a"));
});
