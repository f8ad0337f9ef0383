import { createServer } from "node:http";
import { Readable } from "node:stream";
import { onTestFinished } from "vitest";
import { sha256 } from "../../../src/oci/digest.ts";
import { mediaTypes } from "../../../src/oci/media-types.ts";
import { listen } from "../../../src/registry/client/testdata/listen.ts";
import { openRegistry } from "../../../src/registry/client/open.ts";
import { makeRegistryFolders, registryPaths } from "../../../src/registry-server/paths.ts";
import { startServer } from "../../../src/registry-server/server.ts";
import type { SmallImage } from "./image.ts";

const repository = "test/shell";

/**
 * Starts the embedded registry of a user in this process, with an image in it.
 *
 * @returns how jobs name the image
 */
export async function inEmbeddedRegistry(image: SmallImage, env: Readonly<Record<string, string>>): Promise<string> {
  const [name = ""] = await allInEmbeddedRegistry([image], env);
  return name;
}

/** The same with several images, which are also known by the tags `v1`, `v2` and so on. */
export async function allInEmbeddedRegistry(
  images: readonly SmallImage[],
  env: Readonly<Record<string, string>>,
): Promise<string[]> {
  const paths = registryPaths(env);
  await makeRegistryFolders(paths);
  const { host, stop } = await startServer(paths);
  onTestFinished(() => stop());
  const client = openRegistry(host, { embedded: { socketPath: paths.socket } });
  for (const blob of new Set(images.flatMap(({ blobs }) => blobs))) {
    const descriptor = { digest: sha256(blob), size: blob.length };
    await client.pushBlob({ repository, descriptor, open: (start, end) => Readable.from([blob.subarray(start, end)]) });
  }
  for (const [index, { digest, manifest }] of images.entries()) {
    await client.putManifest(repository, digest, manifest, mediaTypes.manifest);
    await client.putManifest(repository, `v${index + 1}`, manifest, mediaTypes.manifest);
  }
  await client.close();
  return images.map(({ digest }) => `${host}/${repository}@${digest}`);
}

/**
 * Starts a registry that has one image for whoever knows a name and password.
 *
 * @returns how jobs name the image
 */
export async function inPasswordRegistry(
  image: SmallImage,
  login: { readonly username: string; readonly password: string },
): Promise<string> {
  const expected = `Basic ${Buffer.from(`${login.username}:${login.password}`).toString("base64")}`;
  const contents = new Map([image.manifest, ...image.blobs].map((content) => [sha256(content) as string, content]));
  const server = createServer(({ headers, method, url = "" }, response) => {
    if (headers.authorization !== expected) {
      response.writeHead(401, { "www-authenticate": 'Basic realm="test"' }).end();
      return;
    }
    const [, kind, digest = ""] = /\/(manifests|blobs)\/([^/]+)$/.exec(url) ?? [];
    const content = contents.get(digest);
    if (content === undefined) {
      response.writeHead(url === "/v2/" ? 200 : 404).end();
      return;
    }
    response.writeHead(200, {
      "content-type": kind === "manifests" ? mediaTypes.manifest : "application/octet-stream",
      "content-length": content.length,
      "docker-content-digest": digest,
    });
    response.end(method === "HEAD" ? undefined : content);
  });
  return `localhost:${await listen(server)}/${repository}@${image.digest}`;
}
