import { execFileSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";

/**
 * Serves the one image of an OCI archive on loopback, to those who give a name and password.
 *
 * @param onRequest called before each answer
 */
export async function startRegistry(
  archive: string,
  login: { username: string; password: string },
  onRequest: () => void,
): Promise<{ image: string; close: () => Promise<void> }> {
  const folder = mkdtempSync(join(tmpdir(), "registry-"));
  execFileSync("tar", ["-C", folder, "-xf", archive]);
  const manifest = JSON.parse(readFileSync(join(folder, "index.json"), "utf8")).manifests[0];
  const expected = `Basic ${btoa(`${login.username}:${login.password}`)}`;

  const server = createServer((request, response) => {
    onRequest();
    if (request.headers.authorization !== expected) {
      response.writeHead(401, { "www-authenticate": 'Basic realm="test"' }).end();
      return;
    }
    const [, kind, digest] = /\/(manifests|blobs)\/(sha256:[0-9a-f]{64})$/.exec(request.url ?? "") ?? [];
    if (digest === undefined) {
      response.writeHead(request.url === "/v2/" ? 200 : 404).end();
      return;
    }
    const content = readFileSync(join(folder, "blobs", digest.replace(":", "/")));
    const type = kind === "manifests" ? manifest.mediaType : "application/octet-stream";
    response.writeHead(200, {
      "content-type": type,
      "content-length": content.length,
      "docker-content-digest": digest,
    });
    response.end(request.method === "HEAD" ? undefined : content);
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const { port } = server.address() as AddressInfo;
  return {
    image: `localhost:${port}/test/image@${manifest.digest}`,
    close: async () => {
      await new Promise((resolve) => server.close(resolve));
      rmSync(folder, { recursive: true });
    },
  };
}
