import { createHash } from "node:crypto";
import { closeSync, openSync, readFileSync, truncateSync } from "node:fs";
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import { join } from "node:path";
import { pipeline } from "node:stream/promises";
import { expect, it } from "vitest";
import { ended, Target } from "../../src/launch/testdata/target.ts";
import { type Digest, sha256 } from "../../src/oci/digest.ts";
import { canonicalJson } from "../../src/oci/json.ts";
import { formatLayerMetadata } from "../../src/oci/layer.ts";
import { mediaTypes } from "../../src/oci/media-types.ts";
import { listen } from "../../src/registry/client/testdata/listen.ts";

const size = 3 * 2 ** 30;
const zeros = Buffer.alloc(1 << 20);

function* content(): Generator<Buffer> {
  for (let at = 0; at < size; at += zeros.length) yield zeros;
}

function digestOfContent(): Digest {
  const hash = createHash("sha256");
  for (const chunk of content()) hash.update(chunk);
  return `sha256:${hash.digest("hex")}`;
}

async function serve(answer: (request: IncomingMessage, response: ServerResponse) => Promise<void>): Promise<string> {
  const server = createServer((request, response) => {
    answer(request, response).catch(() => request.destroy());
  });
  return `localhost:${await listen(server)}`;
}

/** Keeps of a blob its digest alone. `onBlob` is told while the pusher still waits for the answer. */
function sink(onBlob: (digest: string, bytes: number) => void): Promise<string> {
  return serve(async (request, response) => {
    const { method = "", url = "" } = request;
    if (method === "HEAD") return void response.writeHead(404).end();
    if (method === "POST") return void response.writeHead(202, { location: "/upload" }).end();
    const hash = createHash("sha256");
    let bytes = 0;
    for await (const chunk of request as AsyncIterable<Buffer>) {
      hash.update(chunk);
      bytes += chunk.length;
    }
    const digest = `sha256:${hash.digest("hex")}`;
    if (url.startsWith("/upload")) onBlob(digest, bytes);
    response.writeHead(201).end();
  });
}

/** A target whose image has one layer of that size: a file, or a blob of another registry. */
function targetOf(digest: Digest, source?: string): Target {
  const target = new Target("push");
  const layer = { mediaType: mediaTypes.layer, digest, size };
  const config = canonicalJson({ os: "linux", architecture: "amd64", rootfs: { type: "layers", diff_ids: [digest] } });
  const manifest = canonicalJson({
    schemaVersion: 2,
    mediaType: mediaTypes.manifest,
    config: { mediaType: mediaTypes.config, digest: sha256(config), size: config.length },
    layers: [layer],
  });
  const descriptor = { mediaType: mediaTypes.manifest, digest: sha256(manifest), size: manifest.length };
  const metadata = target.file("_main/layer.json", formatLayerMetadata({ ...layer, diffId: digest }));
  if (!source) {
    const path = join(target.runfiles, "_main/layer.tar");
    closeSync(openSync(path, "w"));
    truncateSync(path, size);
  }
  target.images.push({
    tag: "default",
    registry: "",
    repository: "team/app",
    remoteTags: ["v1"],
    descriptor: target.file("_main/descriptor.json", canonicalJson(descriptor)),
    manifest: target.file("_main/manifest.json", manifest),
    config: target.file("_main/config.json", config),
    blobs: [{ metadata, ...(source ? {} : { blob: "_main/layer.tar" }) }],
    children: [],
    layouts: [],
    sources: source ? [{ registry: source, repository: "team/base" }] : [],
  });
  return target;
}

it.each(["pushed from a file", "streamed from another registry"])(
  "a layer of 3 GiB is %s in less than 256 MiB of memory",
  async (how) => {
    const digest = digestOfContent();
    const source = how.startsWith("streamed")
      ? await serve(async (_, response) => {
          response.writeHead(200, { "content-length": size });
          await pipeline(content, response);
        })
      : undefined;
    let peak = 0;
    const arrived = new Map<string, number>();
    let pid = 0;
    const target = targetOf(digest, source);
    target.request.defaultRegistry = await sink((each, bytes) => {
      arrived.set(each, bytes);
      // The most that the process ever had.
      const [, kibibytes] = /^VmHWM:\s+(\d+) kB$/m.exec(readFileSync(`/proc/${pid}/status`, "utf8")) ?? [];
      peak = Math.max(peak, Number(kibibytes) / 1024);
    });
    const child = target.start();
    pid = child.pid ?? 0;
    const { status, stderr } = await ended(child);
    expect({ status, stderr }).toEqual({ status: 0, stderr: expect.stringContaining("pushed ") });
    expect(arrived.get(digest)).toBe(size);
    console.log(`${how}: ${Math.round(peak)} MiB`);
    expect(peak).toBeGreaterThan(20);
    expect(peak).toBeLessThan(256);
  },
  240_000,
);
