import type { IncomingMessage, ServerResponse } from "node:http";
import { gzipSync } from "node:zlib";
import { type Digest, sha256 } from "../../../src/oci/digest.ts";
import { mediaTypes } from "../../../src/oci/media-types.ts";
import type { FakeRegistry, Intervention } from "../../../src/registry/client/testdata/fake-registry.ts";
import { StoredImages } from "../../../src/registry/client/testdata/stored-images.ts";

/** Does to a registry, which has the image `team/app:v1` and the index `team/app:index`, what makes it hostile. */
export type Hostility = (registry: FakeRegistry) => void;

type Kind = "manifests" | "blobs" | "tags" | "uploads" | "referrers" | "HEAD" | "GET" | "PUT" | "POST" | "any";

function isOf(kind: Kind, { method = "", url = "" }: IncomingMessage): boolean {
  if (kind === "any") return true;
  if (kind === "uploads") return url.includes("/blobs/uploads/");
  if (kind === "blobs") return url.includes("/blobs/sha256:") && method === "GET";
  if (kind === "manifests") return url.includes("/manifests/") && method === "GET";
  return kind === kind.toUpperCase() ? method === kind : url.includes(`/${kind}/`);
}

/** Answers requests of a kind; the registry answers all others. */
function on(kind: Kind, act: (request: IncomingMessage, response: ServerResponse) => void): Hostility {
  return (registry) => {
    const before: Intervention = registry.intervene ?? (() => false);
    registry.intervene = async (request, response, seen) => {
      if (await before(request, response, seen)) return true;
      if (!isOf(kind, request)) return false;
      request.resume();
      act(request, response);
      return true;
    };
  };
}

const json = { "content-type": "application/json" };
const manifestType = { "content-type": mediaTypes.manifest };

/** Sends a piece again and again, as fast as the client takes it or once in so many milliseconds, until it goes. */
function endless(response: ServerResponse, piece: string | Uint8Array, pause = 0): void {
  if (response.destroyed) return;
  const isTaken = response.write(piece);
  const next = () => endless(response, piece, pause);
  if (pause > 0) setTimeout(next, pause);
  else if (isTaken) setImmediate(next);
  else response.once("drain", next);
}

const megabyte = Buffer.alloc(1 << 20, " ");

/** As {@link endless}, of an answer with these headers. */
function flood(status: number, headers: Record<string, string>, piece: string | Uint8Array = megabyte, pause = 0) {
  return (_: IncomingMessage, response: ServerResponse) => {
    response.on("error", () => {});
    response.writeHead(status, headers);
    endless(response, piece, pause);
  };
}

function answer(status: number, headers: Record<string, string | string[]> = {}, body: string | Uint8Array = "") {
  return (_: IncomingMessage, response: ServerResponse) => void response.writeHead(status, headers).end(body);
}

/** Writes to the connection what HTTP allows or not, and ends it or does not. */
function raw(text: string, then: "end" | "reset" | "stay" = "end") {
  return ({ socket }: IncomingMessage) => {
    socket.on("error", () => {});
    socket.write(text, () => {
      if (then === "end") socket.end();
      if (then === "reset") socket.resetAndDestroy();
    });
  };
}

/** Redirects each request of a kind to an address that the request before did not have. */
function redirects(kind: Kind, next: (url: string) => string): Hostility {
  return on(kind, ({ url = "" }, response) => void response.writeHead(307, { location: next(url) }).end());
}

/** Puts a document in the place of `team/app:v1`. */
const document =
  (make: (images: StoredImages) => object | Uint8Array, mediaType: string = mediaTypes.manifest): Hostility =>
  (registry) => {
    const images = new StoredImages(registry, "team/app");
    images.manifest(make(images), { tag: "v1", mediaType });
  };

const configOf = (digest: Digest, size: number) => ({ mediaType: mediaTypes.config, digest, size });
const layersOf = (count: number, images: StoredImages) => {
  const layer = { mediaType: mediaTypes.layerGzip, ...images.blob(gzipSync(Buffer.alloc(1024))) };
  return Array.from({ length: count }, () => layer);
};
const image = (images: StoredImages, more: object) => ({
  schemaVersion: 2,
  mediaType: mediaTypes.manifest,
  config: configOf(images.blob(Buffer.from('{"os":"linux","architecture":"amd64"}')).digest, 37),
  layers: layersOf(1, images),
  ...more,
});
const amd64 = { os: "linux", architecture: "amd64" };

/** Indexes of indexes: each level names the one below so many times. */
function indexes(images: StoredImages, depth: number, width: number): object {
  let below = { mediaType: mediaTypes.manifest as string, digest: images.image({}), size: 100 };
  for (let level = 0; ; level++) {
    const manifests = Array.from({ length: width }, () => ({ ...below, platform: amd64 }));
    const index = { schemaVersion: 2, mediaType: mediaTypes.index, manifests };
    if (level === depth) return index;
    const text = Buffer.from(JSON.stringify(index));
    below = { mediaType: mediaTypes.index, digest: images.manifest(text, { mediaType: mediaTypes.index }), size: text.length };
  }
}

const deep = (depth: number) => `${"[".repeat(depth)}${"]".repeat(depth)}`;

/** By what they do. */
export const hostilities: Readonly<Record<string, Hostility>> = {
  "drips a manifest": on("manifests", flood(200, manifestType, " ", 50)),
  "drips a blob": on("blobs", flood(200, {}, " ", 50)),
  "drips a page of tags": on("tags", flood(200, json, " ", 50)),
  "drips an error": on("any", flood(400, json, " ", 50)),
  "drips headers": on("GET", ({ socket }) => {
    socket.on("error", () => {});
    socket.write("HTTP/1.1 200 OK\r\n");
    const dripping = setInterval(() => (socket.destroyed ? clearInterval(dripping) : socket.write("x: y\r\n")), 50);
  }),
  "sends a manifest without end": on("manifests", flood(200, manifestType)),
  "sends a blob without end": on("blobs", flood(200, {})),
  "sends a page of tags without end": on("tags", flood(200, json)),
  "sends a page of referrers without end": on("referrers", flood(200, { "content-type": mediaTypes.index })),
  "sends an error without end": on("any", flood(500, json)),
  "sends a refusal without end": on("any", flood(401, { "www-authenticate": 'Basic realm="x"' })),
  "answers a push without end": on("PUT", flood(201, {})),
  "has pages of tags without end": on("tags", ({ url = "" }, response) => {
    const page = Number(/page=(\d+)/.exec(url)?.[1] ?? 0) + 1;
    const tags = Array.from({ length: 10_000 }, (_, index) => `tag-${page}-${index}`);
    response.writeHead(200, { ...json, link: `</v2/team/app/tags/list?page=${page}>; rel="next"` });
    response.end(JSON.stringify({ name: "team/app", tags }));
  }),
  "has a page of tags that is its own next": on("tags", ({ url = "" }, response) => {
    response.writeHead(200, { ...json, link: `<${url}>; rel="next"` }).end('{"name":"team/app","tags":["v1"]}');
  }),
  "has pages of referrers without end": on("referrers", ({ url = "" }, response) => {
    const page = Number(/page=(\d+)/.exec(url)?.[1] ?? 0) + 1;
    const manifests = Array.from({ length: 5000 }, (_, index) => configOf(sha256(`${page} ${index}`), 1));
    const next = `<${url.replace(/\?.*/, "")}?page=${page}>; rel="next"`;
    response.writeHead(200, { "content-type": mediaTypes.index, link: next });
    response.end(JSON.stringify({ schemaVersion: 2, mediaType: mediaTypes.index, manifests }));
  }),
  "redirects to the same place": redirects("GET", (url) => url),
  "redirects there and back": redirects("GET", (url) => (url.includes("?back") ? url.replace("?back", "") : `${url}?back`)),
  "redirects on and on": redirects("any", (url) => `${url}${url.includes("?") ? "&" : "?"}x`),
  "redirects to a file": redirects("GET", () => "file:///etc/passwd"),
  "redirects to no address": redirects("any", () => "http://[:::1]:99999/\u00a0"),
  "has manifests of another digest": on("manifests", answer(200, { ...manifestType, "docker-content-digest": sha256("x") }, "{}")),
  "has blobs of another digest": on("blobs", answer(200, {}, "other content")),
  "sends more of a blob than there is": on("blobs", answer(200, {}, Buffer.alloc(1 << 25))),
  "sends less of a blob than it says": on("blobs", raw("HTTP/1.1 200 OK\r\ncontent-length: 1000000\r\n\r\nshort")),
  "sends less than it says and stays": on("any", raw("HTTP/1.1 200 OK\r\ncontent-length: 1000000\r\n\r\nshort", "stay")),
  "calls a manifest HTML": on("manifests", answer(200, { "content-type": "text/html" }, "<html>sign in</html>")),
  "calls a manifest an index": document((images) => image(images, {}), mediaTypes.index),
  "calls no content type": on("manifests", answer(200, {}, "\0\0\0\0")),
  "has headers of a megabyte": on("any", raw(`HTTP/1.1 200 OK\r\nx: ${"y".repeat(1 << 20)}\r\ncontent-length: 0\r\n\r\n`)),
  "has headers without number": on("any", raw(`HTTP/1.1 200 OK\r\n${"x: y\r\n".repeat(100_000)}\r\n`)),
  "sends hints without end": on("any", ({ socket }) => {
    socket.on("error", () => {});
    const more = () => {
      if (!socket.destroyed) socket.write("HTTP/1.1 103 Early Hints\r\nlink: </x>\r\n\r\n".repeat(1000), () => setImmediate(more));
    };
    more();
  }),
  "answers no HTTP": on("any", raw("\x16\x03\x01\0\0SSH-2.0\r\n\r\n")),
  "never answers": on("any", () => {}),
  "ends in the headers": on("any", raw("HTTP/1.1 200 OK\r\ncontent-le")),
  "resets in the body": on("any", raw("HTTP/1.1 200 OK\r\ncontent-length: 100\r\n\r\nhalf", "reset")),
  "packs an answer that unpacks to much": (registry) => {
    const packed = gzipSync(Buffer.alloc(300 << 20));
    on("manifests", answer(200, { ...manifestType, "content-encoding": "gzip" }, packed))(registry);
  },
  "has an index of 20,000 images": document((images) => {
    const manifests = Array.from({ length: 20_000 }, () => ({ mediaType: mediaTypes.manifest, digest: images.image({}), size: 9, platform: amd64 }));
    return { schemaVersion: 2, mediaType: mediaTypes.index, manifests };
  }, mediaTypes.index),
  "has an index that unfolds to millions": document((images) => indexes(images, 6, 12), mediaTypes.index),
  "has an index of a thousand levels": document((images) => indexes(images, 1000, 1), mediaTypes.index),
  "has an image of 20,000 layers": document((images) => image(images, { layers: layersOf(20_000, images) })),
  "has a configuration of a petabyte": document((images) => image(images, { config: configOf(sha256("x"), 2 ** 50) })),
  "has a configuration of 600 MB": (registry) => {
    const digest = sha256("x");
    document((images) => image(images, { config: configOf(digest, 600_000_000) }))(registry);
    on("blobs", flood(200, { "content-length": "600000000" }))(registry);
  },
  "has a manifest that nests without end": document((images) =>
    Buffer.from(JSON.stringify(image(images, { annotations: 1 })).replace('"annotations":1', `"annotations":${deep(1_000_000)}`)),
  ),
  "wants a token that never ends": on("any", ({ url = "", headers }, response) => {
    const realm = `http://${headers.host}/token`;
    if (url.startsWith("/token")) return flood(200, json, `{"token":"${"x".repeat(1 << 16)}`)({} as IncomingMessage, response);
    response.writeHead(401, { "www-authenticate": `Bearer realm="${realm}",service="s"` }).end();
  }),
  "asks for another token each time": on("any", ({ url = "", headers }, response) => {
    if (url.startsWith("/token")) return void response.writeHead(200, json).end('{"token":"x","expires_in":1}');
    const challenge = `Bearer realm="http://${headers.host}/token",service="s",scope="${Math.random()}"`;
    response.writeHead(401, { "www-authenticate": challenge }).end();
  }),
  "asks to wait for years": on("any", answer(429, { "retry-after": "1000000000" })),
  "asks to wait until a date": on("any", answer(503, { "retry-after": "Fri, 31 Dec 9999 23:59:59 GMT" })),
  "moves an upload on and on": on("uploads", ({ url = "" }, response) => {
    response.writeHead(202, { location: `${url.replace(/\?.*/, "")}x`, range: "0-0" }).end();
  }),
  "has an upload with no place": on("uploads", answer(202, { location: "http://[" })),
  "has more of an upload than was sent": on("uploads", answer(416, { range: "0-99999999999999999999", location: "/v2/team/app/blobs/uploads/x" })),
};
