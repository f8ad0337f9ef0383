import { describe, expect, it } from "vitest";
import type { Descriptor } from "../oci/descriptor.ts";
import type { Digest } from "../oci/digest.ts";
import { mediaTypes } from "../oci/media-types.ts";
import { pushImage, serverOfTest } from "../registry-server/testdata/fixture.ts";
import type { RegistryClient } from "./client/client.ts";
import { openRegistry } from "./client/open.ts";
import { open, registry, useRegistry } from "./client/testdata/harness.ts";
import { StoredImages } from "./client/testdata/stored-images.ts";
import { attachReferrer, findReferrers, removeImage } from "./referrers.ts";

useRegistry();

const artifact = (content: string) => ({ artifactType: "text/x", mediaType: "text/x", content: Buffer.from(content) });

/** An SBOM of the image and a signature of the SBOM. */
async function attachTwo(client: RegistryClient, image: Digest): Promise<[Descriptor, Descriptor]> {
  const subject = { mediaType: mediaTypes.manifest, digest: image, size: 5 };
  const sbom = await attachReferrer(client, "team/app", subject, artifact("sbom"));
  return [sbom, await attachReferrer(client, "team/app", sbom, artifact("signature"))];
}

const manifests = () => [...registry.manifests.keys()];

describe("removeImage", () => {
  it("leaves nothing that refers to the image where clients list referrers", async () => {
    const store = new StoredImages(registry, "team/app");
    const image = store.image({ tag: "v1" });
    store.image({ layers: ["signature"], tag: `${image.replace(":", "-")}.sig` });
    const kept = store.image({ layers: ["kept"], tag: "v2" });
    const [sbom, signature] = await attachTwo(open(), image);
    const tree = await findReferrers(open(), "team/app", image);
    expect(tree).toEqual([
      expect.objectContaining({ tag: `${image.replace(":", "-")}.sig` }),
      { descriptor: sbom, referrers: [{ descriptor: signature, referrers: [] }] },
    ]);
    expect(await removeImage(open(), "team/app", image)).toBe(true);
    // This registry leaves tags of a deleted manifest.
    expect(manifests()).toEqual(["team/app v1", `team/app ${kept}`, "team/app v2"]);
    expect(await removeImage(open(), "team/app", image)).toBe(false);
  });

  it("takes an artifact out of the list of its subject", async () => {
    const image = new StoredImages(registry, "team/app").image({ tag: "v1" });
    const [sbom] = await attachTwo(open(), image);
    const other = { mediaType: mediaTypes.manifest, digest: image, size: 5 };
    const second = await attachReferrer(open(), "team/app", other, artifact("second"));
    expect(await removeImage(open(), "team/app", sbom.digest)).toBe(true);
    expect(await open().referrers("team/app", image)).toEqual([second]);
    expect(manifests()).toHaveLength(5);
  });

  it("continues where an earlier attempt was interrupted", async () => {
    const image = new StoredImages(registry, "team/app").image({});
    const [sbom] = await attachTwo(open(), image);
    registry.manifests.delete(`team/app ${sbom.digest}`);
    expect(await removeImage(open(), "team/app", image)).toBe(true);
    expect(manifests()).toEqual([]);
  });

  it("leaves nothing in the embedded registry", async () => {
    const { ask, paths } = await serverOfTest();
    const image = await pushImage(ask, "team/app", "v1", ["layer"]);
    const client = openRegistry("localhost:1", { embedded: { socketPath: paths.socket } });
    const attached = await attachTwo(client, image);
    expect(await removeImage(client, "team/app", image)).toBe(true);
    for (const { digest } of attached) expect(await client.headManifest("team/app", digest)).toBeUndefined();
    expect(await client.listTags("team/app")).toEqual([]);
    expect(await client.referrers("team/app", image)).toEqual([]);
    client.close();
  });
});
