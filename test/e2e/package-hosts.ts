import { execFileSync } from "node:child_process";
import { once } from "node:events";
import { createReadStream } from "node:fs";
import { createServer, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { pipeline } from "node:stream/promises";

/**
 * A local server that stands for nodejs.org and for an npm registry. It hands on what the machine's registry serves,
 * and counts.
 */
export class PackageHosts {
  /** Paths that were asked for, those of nodejs.org below /nodejs. */
  readonly requests: string[] = [];
  readonly #files = new Map<string, string>();
  readonly #upstream = machineRegistry();
  readonly #server = createServer((request, response) => {
    const path = request.url ?? "";
    this.requests.push(path);
    this.#answer(path, response).catch(() => response.destroy());
  });

  async start(): Promise<void> {
    this.#server.listen(0, "127.0.0.1");
    await once(this.#server, "listening");
  }

  async stop(): Promise<void> {
    this.#server.close();
    this.#server.closeAllConnections();
    await once(this.#server, "close");
  }

  /** Serves a file at a path. */
  serve(path: string, file: string): void {
    this.#files.set(path, file);
  }

  /** What Bazel's option --experimental_downloader_config reads. */
  get downloaderConfig(): string {
    return `rewrite nodejs.org/(.*) ${this.#address}/nodejs/$1\n`;
  }

  /** The registry for package managers. */
  get registry(): string {
    return `${this.#address}/`;
  }

  get #address(): string {
    return `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}`;
  }

  async #answer(path: string, response: ServerResponse): Promise<void> {
    const file = this.#files.get(path);
    if (file) return pipeline(createReadStream(file), response.writeHead(200));
    if (path.startsWith("/nodejs/")) {
      response.writeHead(404).end();
      return;
    }
    const answer = await fetch(new URL(path.slice(1), this.#upstream));
    response.writeHead(answer.status).end(Buffer.from(await answer.arrayBuffer()));
  }
}

/** The registry that npm is configured for. */
function machineRegistry(): string {
  return execFileSync("npm", ["config", "get", "registry"], { encoding: "utf8" }).trim();
}
