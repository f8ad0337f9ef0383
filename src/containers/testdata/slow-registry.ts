import { once } from "node:events";
import { createServer, request } from "node:http";
import type { AddressInfo } from "node:net";
import { onTestFinished } from "vitest";
import { requestToken } from "../../registry-server/ensure.ts";

/** A way to a registry of a test, on which layers stand still until they are let go. Whoever pulls needs no login. */
export async function slowRegistry(registry: { readonly host: string; readonly paths: { readonly socket: string } }) {
  const released = Promise.withResolvers<void>();
  const server = createServer(async ({ method, url = "", headers }, response) => {
    const repository = /^\/v2\/(.+)\/(manifests|blobs)\//.exec(url)?.[1];
    const token = repository && (await requestToken(registry.paths.socket, { repository, actions: ["pull"] })).token;
    const authorization = `Basic ${Buffer.from(`token:${token}`).toString("base64")}`;
    const target = new URL(`http://${registry.host}${url}`);
    const own = { accept: headers.accept ?? "*/*", ...(token ? { authorization } : {}), host: registry.host };
    const outgoing = request(target, { method: method ?? "GET", headers: own, agent: false });
    outgoing.on("error", () => response.destroy());
    outgoing.on("response", async (answer) => {
      response.writeHead(answer.statusCode ?? 500, answer.headers);
      response.flushHeaders();
      // Configurations come as they are: only what follows is slow.
      if (url.includes("/blobs/") && Number(answer.headers["content-length"]) > 10_000) await released.promise;
      answer.pipe(response);
    });
    outgoing.end();
  }).listen(0, "127.0.0.1");
  await once(server, "listening");
  onTestFinished(() => {
    released.resolve();
    server.closeAllConnections();
    server.close();
  });
  const { port } = server.address() as AddressInfo;
  return {
    /** The same image, by this way. */
    image: (image: string) => image.replace(registry.host, `localhost:${port}`),
    release: released.resolve,
  };
}
