import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { type Digest, sha256 } from "../../../oci/digest.ts";

/** A request as the registry saw it. */
export interface Seen {
  readonly method: string;
  readonly path: string;
  readonly authorization: string | undefined;
  /** Bytes of the body that arrived. */
  bytes: number;
}

/** Answers a request in place of the registry, or breaks it. True: it was dealt with. */
export type Intervention = (
  request: IncomingMessage,
  response: ServerResponse,
  seen: Seen,
) => boolean | undefined | Promise<boolean | undefined>;

/** An in-memory registry that does what the specification says, except where a test steps in. */
export class FakeRegistry {
  readonly seen: Seen[] = [];
  readonly blobs = new Map<string, Buffer>();
  readonly manifests = new Map<string, { bytes: Buffer; mediaType: string }>();
  readonly uploads = new Map<string, Buffer>();
  intervene: Intervention | undefined;
  mounts = true;
  /** Whether it refuses manifests whose blobs it lacks. */
  checksBlobs = true;
  /** Whether a POST may have a whole blob. */
  takesOnePost = false;
  #uploadCount = 0;
  readonly #server = createServer((request, response) => {
    this.#serve(request, response).catch(() => request.destroy());
  });

  static async start(): Promise<FakeRegistry> {
    const registry = new FakeRegistry();
    await new Promise<void>((resolve) => registry.#server.listen(0, "127.0.0.1", resolve));
    return registry;
  }

  get host(): string {
    return `localhost:${(this.#server.address() as AddressInfo).port}`;
  }

  get url(): string {
    return `http://${this.host}`;
  }

  /** `METHOD path` of every request, without queries. */
  get log(): string[] {
    return this.seen.map(
      (each) => `${each.method} ${each.path.replace(/\?.*/, "").replace(/uploads\/\d+/, "uploads/N")}`,
    );
  }

  async stop(): Promise<void> {
    this.#server.closeAllConnections();
    await new Promise((resolve) => this.#server.close(resolve));
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.stop();
  }

  putBlob(repository: string, bytes: Uint8Array): Digest {
    const digest = sha256(bytes);
    this.blobs.set(`${repository} ${digest}`, Buffer.from(bytes));
    return digest;
  }

  async #serve(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const { method = "", url: path = "" } = request;
    const seen: Seen = { method, path, authorization: request.headers.authorization, bytes: 0 };
    this.seen.push(seen);
    if (await this.intervene?.(request, response, seen)) return;
    const url = new URL(path, this.url);
    const match = /^\/v2\/(.+)\/(manifests|blobs\/uploads|blobs|tags|referrers)\/([^/]*)$/.exec(url.pathname);
    if (!match) return void response.writeHead(404).end();
    const [, repository = "", kind, name = ""] = match;
    if (kind === "manifests") return this.#manifest(request, response, seen, repository, name);
    if (kind === "blobs/uploads") return this.#upload(request, response, seen, { repository, name, url });
    if (kind === "tags") {
      const tags = [...this.manifests.keys()].filter(
        (key) => key.startsWith(`${repository} `) && !key.includes("sha256:"),
      );
      return void response.end(JSON.stringify({ name: repository, tags: tags.map((key) => key.split(" ")[1]) }));
    }
    if (kind === "blobs") return this.#blob(request, response, repository, name);
    response.writeHead(404).end();
  }

  #blob(request: IncomingMessage, response: ServerResponse, repository: string, digest: string): void {
    const blob = this.blobs.get(`${repository} ${digest}`);
    if (!blob) return void response.writeHead(404).end();
    const start = Number(/^bytes=(\d+)-/.exec(request.headers.range ?? "")?.[1] ?? 0);
    response.writeHead(request.headers.range ? 206 : 200, { "content-length": blob.length - start });
    response.end(request.method === "HEAD" ? undefined : blob.subarray(start));
  }

  async #manifest(
    request: IncomingMessage,
    response: ServerResponse,
    seen: Seen,
    repository: string,
    reference: string,
  ): Promise<void> {
    if (request.method === "PUT") {
      const bytes = await readBody(request, seen);
      const { config, layers, manifests = [] } = JSON.parse(bytes.toString());
      const missing =
        config === undefined
          ? manifests.find((each: { digest: string }) => !this.manifests.has(`${repository} ${each.digest}`))
          : [config, ...layers].find((each) => !this.blobs.has(`${repository} ${each.digest}`));
      if (missing && this.checksBlobs) {
        const errors = [{ code: "MANIFEST_BLOB_UNKNOWN", message: `blob unknown: ${missing.digest}` }];
        return void response.writeHead(400).end(JSON.stringify({ errors }));
      }
      const stored = { bytes, mediaType: request.headers["content-type"] ?? "" };
      this.manifests.set(`${repository} ${sha256(bytes)}`, stored);
      this.manifests.set(`${repository} ${reference}`, stored);
      return void response.writeHead(201, { "docker-content-digest": sha256(bytes) }).end();
    }
    if (request.method === "DELETE") {
      return void response.writeHead(this.manifests.delete(`${repository} ${reference}`) ? 202 : 404).end();
    }
    const found = this.manifests.get(`${repository} ${reference}`);
    if (!found) return void response.writeHead(404).end();
    response.writeHead(200, {
      "content-type": found.mediaType,
      "content-length": found.bytes.length,
      "docker-content-digest": sha256(found.bytes),
    });
    response.end(request.method === "HEAD" ? undefined : found.bytes);
  }

  async #upload(
    request: IncomingMessage,
    response: ServerResponse,
    seen: Seen,
    { repository, name, url }: { repository: string; name: string; url: URL },
  ): Promise<void> {
    if (request.method === "POST") {
      const mount = `${url.searchParams.get("from")} ${url.searchParams.get("mount")}`;
      const source = this.mounts ? this.blobs.get(mount) : undefined;
      if (source) {
        this.putBlob(repository, source);
        return void response.writeHead(201).end();
      }
      const digest = url.searchParams.get("digest");
      if (digest !== null) {
        const body = await readBody(request, seen);
        if (this.takesOnePost && sha256(body) === digest) {
          this.putBlob(repository, body);
          return void response.writeHead(201).end();
        }
      }
      const id = String(++this.#uploadCount);
      this.uploads.set(id, Buffer.alloc(0));
      return void response.writeHead(202, { location: `/v2/${repository}/blobs/uploads/${id}?state=a%2Fb` }).end();
    }
    const kept = this.uploads.get(name);
    if (!kept) return void response.writeHead(404).end();
    const headers = () => ({
      location: `/v2/${repository}/blobs/uploads/${name}?state=a%2Fb`,
      range: `0-${Math.max(0, (this.uploads.get(name)?.length ?? 0) - 1)}`,
    });
    if (request.method === "GET") return void response.writeHead(204, headers()).end();
    const range = /^(\d+)-/.exec(request.headers["content-range"] ?? "");
    if (range && Number(range[1]) !== kept.length) return void response.writeHead(416, headers()).end();
    const pieces = [kept];
    const keep = () => this.uploads.set(name, Buffer.concat(pieces));
    try {
      for await (const chunk of request) {
        seen.bytes += chunk.length;
        pieces.push(chunk);
      }
    } catch {
      keep();
      return;
    }
    keep();
    const body = Buffer.concat(pieces);
    if (request.method === "PATCH") return void response.writeHead(202, headers()).end();
    const digest = url.searchParams.get("digest");
    if (sha256(body) !== digest) {
      const errors = [{ code: "DIGEST_INVALID", message: "digest does not match" }];
      return void response.writeHead(400).end(JSON.stringify({ errors }));
    }
    this.uploads.delete(name);
    this.putBlob(repository, body);
    response.writeHead(201).end();
  }
}

export async function readBody(request: IncomingMessage, seen?: Seen): Promise<Buffer> {
  const chunks: Buffer[] = [];
  for await (const chunk of request) {
    chunks.push(chunk);
    if (seen) seen.bytes += chunk.length;
  }
  return Buffer.concat(chunks);
}
