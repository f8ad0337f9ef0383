import { gzipSync } from "node:zlib";
import { expect, it } from "vitest";
import { type Digest, sha256 } from "../../oci/digest.ts";
import { mediaTypes } from "../../oci/media-types.ts";
import { findReferrers, removeImage } from "../referrers.ts";
import { type RegistryClient, referrersTag } from "./client.ts";
import { copyImage } from "./copy.ts";
import { fetchManifest } from "./fetch-manifest.ts";
import { FakeRegistry } from "./testdata/fake-registry.ts";
import { answer, failure, guarded, open, registry, somebody, useRegistry } from "./testdata/harness.ts";
import { blobOf } from "./testdata/images.ts";
import { StoredImages } from "./testdata/stored-images.ts";

useRegistry();

const app = "team/app";
const images = () => new StoredImages(registry, app);
const manifest = (client: RegistryClient) => fetchManifest(client, app, "v1");
const upload = (client: RegistryClient) => client.pushBlob({ repository: app, ...blobOf(Buffer.from("x")) });

const descriptorOf = (digest: Digest) => ({
  mediaType: mediaTypes.manifest,
  digest,
  size: registry.manifests.get(`${app} ${digest}`)?.bytes.length ?? 1,
});

/** Writes by hand, as anyone with push access can, what refers to an image. */
function list(subject: Digest, referrers: readonly Digest[]): void {
  const document = { schemaVersion: 2, mediaType: mediaTypes.index, manifests: referrers.map(descriptorOf) };
  images().manifest(document, { tag: referrersTag(subject) });
}

/** Copies the image `v1` with its referrers. @returns manifests that the target has */
async function copy(): Promise<FakeRegistry> {
  const to = await FakeRegistry.start();
  const client = open();
  const options = { from: { client, repository: app }, to: { client: open({}, to.host), repository: app } };
  try {
    await copyImage({ ...options, fetched: await manifest(client), tags: ["v1"], referrers: true });
    return to;
  } finally {
    await to.stop();
  }
}

const bomb = gzipSync(Buffer.alloc(64 << 20));

it.each([
  ["manifest", "image-invalid"],
  ["token", "registry-failed"],
])("a bomb of gzip as %s is refused and not unpacked", async (what, code) => {
  registry.intervene = (request, response, seen) => {
    if (what === "token" && !request.url?.startsWith("/token")) {
      return answer(401, { "www-authenticate": `Bearer realm="${registry.url}/token"` })(request, response, seen);
    }
    response.writeHead(200, { "content-encoding": "gzip" }).end(bomb);
    return true;
  };
  const before = process.memoryUsage().arrayBuffers;
  expect(await failure(manifest(open()))).toMatchObject({ code });
  expect(process.memoryUsage().arrayBuffers - before).toBeLessThan(bomb.length + (16 << 20));
});

it.each([
  ["a redirect", 307, manifest],
  ["an upload", 202, upload],
])("%s to a URL with a user and a password is refused, and sends neither", async (_, status, act) => {
  registry.intervene = answer(status, { location: `http://eve:wicked@${registry.host}/v2/${app}/elsewhere` });
  const error = await failure(act(open()));
  expect(error).toMatchObject({ code: "registry-failed" });
  expect(error.message).not.toMatch(/eve|wicked/);
  expect(registry.seen.map(({ authorization }) => authorization)).toEqual([undefined]);
});

it("a redirect to another server carries neither a credential nor a cookie", async () => {
  await using other = await FakeRegistry.start();
  const fields: unknown[] = [];
  other.intervene = (request, response) => {
    fields.push(request.headers.authorization, request.headers.cookie);
    response.writeHead(404).end();
    return true;
  };
  images().image({ tag: "v1" });
  registry.intervene = (...call) =>
    guarded("Basic", `Basic ${Buffer.from("u:geheim").toString("base64")}`)(...call) ||
    answer(307, { location: `${other.url}/x`, "set-cookie": "a=b" })(...call);
  expect(await failure(manifest(open({ search: somebody })))).toBeInstanceOf(Error);
  expect(fields.length).toBeGreaterThan(0);
  expect(fields.filter((field) => field !== undefined)).toEqual([]);
});

it("the URLs of a layer are never asked", async () => {
  await using other = await FakeRegistry.start();
  const layer = (mediaType: string) => ({ mediaType, ...images().blob(Buffer.from("x")), urls: [`${other.url}/x`] });
  const layers = [layer(mediaTypes.layerGzip), layer("application/vnd.docker.image.rootfs.foreign.diff.tar.gzip")];
  const digest = images().image({ tag: "v1", manifest: { layers } });
  const to = await copy();
  expect(to.manifests.has(`${app} ${digest}`)).toBe(true);
  expect(other.seen).toEqual([]);
});

it.each([
  ["tags", (client: RegistryClient) => client.listTags(app)],
  ["repositories", (client: RegistryClient) => client.listRepositories()],
])("a page of 500,000 %s is read", async (what, list) => {
  const names = Array.from({ length: 500_000 }, () => "a");
  registry.intervene = (_, response) => {
    response.writeHead(200, { "content-type": "application/json" }).end(JSON.stringify({ [what]: names }));
    return true;
  };
  expect(await list(open())).toHaveLength(500_000);
});

it("artifacts that refer to each other in a circle are listed, copied and removed once", async () => {
  const image = images().image({ tag: "v1" });
  const [one, two] = [images().image({ layers: ["one"] }), images().image({ layers: ["two"] })];
  list(image, [one]);
  list(one, [two, one]);
  list(two, [image, one]);
  const found = await findReferrers(open(), app, image);
  expect(found).toMatchObject([{ descriptor: { digest: one }, referrers: [{ descriptor: { digest: two } }] }]);
  const to = await copy();
  expect([one, two].every((digest) => to.manifests.has(`${app} ${digest}`))).toBe(true);
  expect(await removeImage(open(), app, image)).toBe(true);
  expect([image, one, two].some((digest) => registry.manifests.has(`${app} ${digest}`))).toBe(false);
});

it("more artifacts than the limit are not copied, not even the first", async () => {
  const image = images().image({ tag: "v1" });
  list(
    image,
    Array.from({ length: 1001 }, (_, n) => sha256(`${n}`)),
  );
  expect(await failure(copy())).toMatchObject({ code: "image-invalid" });
  expect(registry.log.filter((each) => /manifests\/sha256:/.test(each))).toEqual([]);
});

it("an index in too many others is not copied", async () => {
  let digest = images().image({});
  for (let depth = 0; depth < 34; depth++) {
    const manifests = [{ ...descriptorOf(digest), ...(depth > 0 ? { mediaType: mediaTypes.index } : {}) }];
    digest = images().manifest({ schemaVersion: 2, mediaType: mediaTypes.index, manifests }, { tag: "v1" });
  }
  expect(await failure(copy())).toMatchObject({ code: "image-invalid" });
});

it("an image with more artifacts than other commands read is removed", { timeout: 60_000 }, async () => {
  const image = images().image({ tag: "v1" });
  list(
    image,
    Array.from({ length: 1100 }, (_, n) => images().image({ layers: [`${n}`] })),
  );
  expect(await removeImage(open(), app, image)).toBe(true);
  expect([...registry.manifests.keys()].filter((key) => key.includes("sha256:"))).toEqual([]);
});
