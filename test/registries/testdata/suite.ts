import { randomBytes } from "node:crypto";
import { buffer } from "node:stream/consumers";
import { expect, it, onTestFinished } from "vitest";
import type { CredentialSearch } from "../../../src/credentials/credential.ts";
import { sha256 } from "../../../src/oci/digest.ts";
import type { RegistryClient } from "../../../src/registry/client/client.ts";
import { openRegistry } from "../../../src/registry/client/open.ts";
import { pushImages } from "../../../src/registry/client/push.ts";
import { blobOf, imageOf, quickRetry } from "../../../src/registry/client/testdata/images.ts";
import { type Proxy, proxyTo } from "./proxy.ts";

const nobody: CredentialSearch = { searched: [], problems: [] };

/**
 * What must work with every registry.
 *
 * @param start starts an empty one and gives its address
 */
export function worksWith(start: () => Promise<string>, search: CredentialSearch = nobody): void {
  async function open(): Promise<{ client: RegistryClient; proxy: Proxy }> {
    const proxy = await proxyTo(await start());
    const client = openRegistry(proxy.host, { retry: quickRetry, findCredential: async () => search });
    onTestFinished(() => client.close());
    return { client, proxy };
  }

  it("pushes images that share a layer, and pulls back what was pushed", async () => {
    const { client } = await open();
    const layers = [1, 2, 3].map(() => randomBytes(200_000));
    const [shared, one, two] = layers as [Buffer, Buffer, Buffer];
    const images = [
      imageOf(client, { repository: "team/one", tags: ["v1"], layers: [shared, one] }),
      imageOf(client, { repository: "team/two", tags: ["v1"], layers: [shared, two] }),
    ];
    expect(await pushImages(images, { check: "digest" })).toEqual(["pushed", "pushed"]);
    for (const image of images) {
      expect((await client.getManifest(image.repository, "v1"))?.bytes).toEqual(Buffer.from(image.manifest));
      const descriptor = { digest: sha256(shared), size: shared.length };
      expect(await buffer(client.getBlob(image.repository, descriptor))).toEqual(shared);
    }
    expect(await client.listTags("team/one")).toEqual(["v1"]);
    expect(await client.listTags("team/three")).toEqual([]);
  });

  it("asks once when nothing changed, and moves a tag back", async () => {
    const { client, proxy } = await open();
    const a = imageOf(client, { repository: "team/app", tags: ["t"], layers: ["a"] });
    const b = imageOf(client, { repository: "team/app", tags: ["t"], layers: ["b"] });
    for (const image of [a, b]) await pushImages([image], { check: "tags" });
    expect(await pushImages([a], { check: "tags" })).toEqual(["tagged"]);
    expect((await client.headManifest("team/app", "t"))?.digest).toBe(a.digest);
    proxy.requests.length = 0;
    await pushImages([a], { check: "tags" });
    await pushImages([a], { check: "digest" });
    expect(proxy.requests).toEqual(["HEAD /v2/team/app/manifests/t", `HEAD /v2/team/app/manifests/${a.digest}`]);
  });

  it("gets a large blob there over a connection that breaks, first in one piece and then in chunks", async () => {
    const { client, proxy } = await open();
    const bytes = randomBytes(40 << 20);
    const blob = blobOf(bytes);
    proxy.cut = Object.assign(proxy.cut, { after: 20 << 20, times: 2 });
    let progress = 0;
    const onBytes = (sent: number) => {
      progress += sent;
    };
    expect(await client.pushBlob({ repository: "team/app", ...blob, onBytes })).toBe("uploaded");
    expect(proxy.cut.times).toBe(0);
    expect(progress).toBe(bytes.length);
    expect(proxy.requests.some((each) => each.startsWith("PATCH "))).toBe(true);
    expect(await client.headBlob("team/app", blob.descriptor.digest)).toBe(bytes.length);
  });
}
