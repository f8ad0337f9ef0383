import { once } from "node:events";
import { type AddressInfo, connect, createServer, type Socket } from "node:net";
import { onTestFinished } from "vitest";
import { FakeRegistry } from "../../../src/registry/client/testdata/fake-registry.ts";

/** A registry at an address that pods reach, for whoever knows a name and password. */
export class PodRegistry {
  readonly registry: FakeRegistry;
  /** `ADDRESS:PORT`. */
  readonly host: string;
  readonly login = { username: "robot", password: crypto.randomUUID() };
  /** The part of a blob's first bytes after which nothing more comes; 1: all of it. */
  stallsAt = 1;
  /** `Range` of each request for a blob. */
  readonly ranges: (string | undefined)[] = [];

  private constructor(registry: FakeRegistry, host: string) {
    this.registry = registry;
    this.host = host;
  }

  static async start(address: string): Promise<PodRegistry> {
    const registry = await FakeRegistry.start();
    onTestFinished(() => registry.stop());
    const sockets = new Set<Socket>();
    const server = createServer((client) => {
      const upstream = connect(Number(registry.host.split(":")[1]), "127.0.0.1");
      for (const [one, other] of [
        [client, upstream],
        [upstream, client],
      ] as const) {
        sockets.add(one);
        one.on("error", () => other.destroy()).on("close", () => other.destroy());
        one.pipe(other);
      }
    });
    onTestFinished(() => {
      for (const socket of sockets) socket.destroy();
      server.close();
    });
    server.listen(0, address);
    await once(server, "listening");
    const found = new PodRegistry(registry, `${address}:${(server.address() as AddressInfo).port}`);
    registry.intervene = (request, response) => {
      const { username, password } = found.login;
      const expected = `Basic ${Buffer.from(`${username}:${password}`).toString("base64")}`;
      if (request.headers.authorization !== expected) {
        request.resume();
        response.writeHead(401, { "www-authenticate": 'Basic realm="test"' }).end();
        return true;
      }
      const [, repository, digest] = /^\/v2\/(.+)\/blobs\/(sha256:[0-9a-f]+)$/.exec(request.url ?? "") ?? [];
      if (request.method !== "GET" || digest === undefined) return false;
      found.ranges.push(request.headers.range);
      const blob = registry.blobs.get(`${repository} ${digest}`);
      if (!blob || found.stallsAt === 1) return false;
      response.writeHead(200, { "content-length": blob.length });
      response.write(blob.subarray(0, Math.floor(blob.length * found.stallsAt)));
      return true;
    };
    return found;
  }
}
