import { randomBytes } from "node:crypto";
import { buffer } from "node:stream/consumers";
import { expect, it, onTestFinished } from "vitest";
import { temporaryFolder } from "../../../src/core/testdata/folder.ts";
import type { CredentialSearch } from "../../../src/credentials/credential.ts";
import { sha256 } from "../../../src/oci/digest.ts";
import type { FindCredential } from "../../../src/registry/client/auth.ts";
import type { RegistryClient } from "../../../src/registry/client/client.ts";
import { openRegistry } from "../../../src/registry/client/open.ts";
import { type PushEvent, pushImages } from "../../../src/registry/client/push.ts";
import { pushedBlobsIn } from "../../../src/registry/client/pushed-blobs.ts";
import { blobOf, imageOf, quickRetry } from "../../../src/registry/client/testdata/images.ts";
import type { RegistrySettings } from "../../../src/config/settings.ts";
import { type Proxy, proxyTo } from "./proxy.ts";
import { pullWithSkopeo } from "./skopeo.ts";

/** A registry and what is needed to talk to it. */
export interface Started {
  /** `localhost:PORT`. */
  readonly host: string;
  /** Where it listens besides, and knows us without a credential. */
  readonly socketPath?: string;
  /** The credential for a repository. Default: none is needed. */
  readonly find?: FindCredential;
  /** Default: plain HTTP. */
  readonly settings?: RegistrySettings;
  /** Flags of `skopeo copy` for a pull from a repository. */
  readonly skopeo: (repository: string) => readonly string[] | Promise<readonly string[]>;
}

/** What skopeo must be told of a registry that speaks plain HTTP. */
export const plainHttp = "--src-tls-verify=false";

/** User `u` of docker-registry and of the token server. */
export const user: CredentialSearch = {
  credential: { kind: "password", username: "u", password: "geheim" },
  source: "/home/u/.docker/config.json",
  searched: ["/home/u/.docker/config.json"],
  problems: [],
};

/**
 * What must work with every registry.
 *
 * @param start starts an empty one
 */
export function worksWith(start: () => Promise<Started>): void {
  async function open(): Promise<{ client: RegistryClient; proxy: Proxy; started: Started }> {
    const started = await start();
    const proxy = await proxyTo(started.socketPath ?? started.host);
    const { settings = {}, find = async () => ({ searched: [], problems: [] }) } = started;
    const client = openRegistry(proxy.host, { retry: quickRetry, findCredential: find, settings });
    onTestFinished(() => client.close());
    return { client, proxy, started };
  }

  it("lets another client pull what was pushed", async () => {
    const { client, started } = await open();
    const image = imageOf(client, { repository: "team/app", tags: ["v1"], layers: [randomBytes(100_000), "b"] });
    await pushImages([image], { check: "tags" });
    const pulled = await pullWithSkopeo(`${started.host}/team/app:v1`, await started.skopeo("team/app"));
    for (const { descriptor } of (await image.read()).blobs) expect(pulled).toContain(descriptor.digest);
    expect(pulled).toContain(image.digest);
  });

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

  it("sends a second repository what no other has, and mounts the rest", async () => {
    const { client } = await open();
    const env = { XDG_STATE_HOME: temporaryFolder() };
    const [base, runtime, one, two] = [4 << 20, 2 << 20, 10_000, 10_000].map((size) => randomBytes(size));
    const sentBy = async (repository: string, own: Buffer) => {
      let sent = 0;
      const image = imageOf(client, { repository, tags: ["v1"], layers: [base as Buffer, runtime as Buffer, own] });
      const pushedBlobs = pushedBlobsIn(env);
      const onEvent = (event: PushEvent) => {
        if (event.type === "sent") sent += event.bytes;
      };
      expect(await pushImages([image], { check: "tags", pushedBlobs, onEvent })).toEqual(["pushed"]);
      return sent;
    };
    expect(await sentBy("team/one", one as Buffer)).toBeGreaterThan(6 << 20);
    expect(await sentBy("team/two", two as Buffer)).toBeLessThan(11_000);
  });

  it("sends what the registry lacks although an earlier push has seen it there", async () => {
    const { client } = await open();
    const env = { XDG_STATE_HOME: temporaryFolder() };
    const [one, lost, two] = [1, 2, 3].map(() => randomBytes(10_000)) as [Buffer, Buffer, Buffer];
    const push = async (...layers: Buffer[]) => {
      const image = imageOf(client, { repository: "team/app", tags: ["v1"], layers });
      expect(await pushImages([image], { check: "tags", pushedBlobs: pushedBlobsIn(env) })).toEqual(["pushed"]);
      return image;
    };
    await push(one);
    const memory = pushedBlobsIn(env);
    memory.add((await client.account("team/app")) as string, "team/app", [sha256(lost)]);
    memory.save();
    const { blobs } = await (await push(one, lost, two)).read();
    for (const { descriptor } of blobs) {
      expect(await client.headBlob("team/app", descriptor.digest)).toBe(descriptor.size);
    }
  });

  it("asks once when nothing changed, and moves a tag back", async () => {
    const { client, proxy, started } = await open();
    const a = imageOf(client, { repository: "team/app", tags: ["t"], layers: ["a"] });
    const b = imageOf(client, { repository: "team/app", tags: ["t"], layers: ["b"] });
    for (const image of [a, b]) await pushImages([image], { check: "tags" });
    expect(await pushImages([a], { check: "tags" })).toEqual(["tagged"]);
    expect((await client.headManifest("team/app", "t"))?.digest).toBe(a.digest);
    proxy.requests.length = 0;
    await pushImages([a], { check: "tags" });
    await pushImages([a], { check: "digest" });
    // What is encrypted cannot be counted here.
    if (started.settings?.authorities) return;
    expect(proxy.requests).toEqual(["HEAD /v2/team/app/manifests/t", `HEAD /v2/team/app/manifests/${a.digest}`]);
  });

  it("gets a large blob there over a connection that breaks, first in one piece and then in chunks", async () => {
    const { client, proxy, started } = await open();
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
    if (!started.settings?.authorities) expect(proxy.requests.some((each) => each.startsWith("PATCH "))).toBe(true);
    expect(await client.headBlob("team/app", blob.descriptor.digest)).toBe(bytes.length);
  });
}
