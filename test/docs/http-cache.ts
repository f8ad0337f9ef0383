import { once } from "node:events";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { buffer } from "node:stream/consumers";

/** A cache that speaks Bazel's HTTP protocol. */
export class HttpCache {
  /** Sizes of the blobs that were sent, by `cas/DIGEST`, in order of the first request. */
  readonly sent = new Map<string, number>();
  /** The paths of all answers with a blob, in order. */
  readonly log: string[] = [];
  readonly #blobs = new Map<string, Buffer>();
  readonly #server = createServer(async (request, response) => {
    const path = (request.url ?? "").slice(1);
    if (request.method === "PUT") {
      this.#blobs.set(path, await buffer(request));
      response.end();
      return;
    }
    const blob = this.#blobs.get(path);
    if (blob && request.method === "GET" && path.startsWith("cas/")) {
      this.sent.set(path, blob.length);
      this.log.push(path);
    }
    response.writeHead(blob ? 200 : 404).end(request.method === "HEAD" ? undefined : blob);
  });

  /** Starts it, and gives its address. */
  async start(): Promise<string> {
    this.#server.listen(0, "127.0.0.1");
    await once(this.#server, "listening");
    return `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}`;
  }

  /** Forgets a blob. */
  evict(digest: string): void {
    if (!this.#blobs.delete(`cas/${digest}`)) throw new Error(`there is no cas/${digest}`);
  }

  stop(): void {
    this.#server.close();
    this.#server.closeAllConnections();
  }
}
