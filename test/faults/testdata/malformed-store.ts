import { closeSync, ftruncateSync, mkdirSync, openSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { gzipSync, zstdCompressSync } from "node:zlib";
import { header } from "../../../src/layer/header.ts";
import { type Digest, sha256 } from "../../../src/oci/digest.ts";
import { mediaTypes } from "../../../src/oci/media-types.ts";
import { below, oneOf, type Random } from "./seeds.ts";

/** The tags of `team/app` in each store. */
export const tags = ["image", "index", "nested"] as const;

/** What is at a path of a store: bytes, a link, a folder, or so many zeros that take no room. */
type Part = Uint8Array | { readonly link: string } | { readonly zeros: number } | "folder";
type Document = "config" | "manifest" | "index" | "layer";

const odd: readonly unknown[] = [
  ...[null, true, -1, 0.5, 17, 2 ** 53, 1e300, "", "x", "../../etc/passwd", "\0\u001b[2J\ud800", "x".repeat(100_000)],
  ...[[], {}, [[]], [null], { digest: 1 }, ["sha256:"], `sha256:${"0".repeat(64)}`, "sha512:00", { toString: 1 }],
];

/** Ways to all values of a document. */
function* pathsOf(value: unknown, path: readonly string[] = []): Generator<readonly string[]> {
  if (path.length > 0) yield path;
  if (typeof value !== "object" || value === null) return;
  for (const [key, inside] of Object.entries(value)) yield* pathsOf(inside, [...path, key]);
}

/** Changes the value at some path. */
function changed(random: Random, text: string, change: (holder: Record<string, unknown>, key: string) => void): string {
  const value = JSON.parse(text) as Record<string, unknown>;
  const path = oneOf(random, [...pathsOf(value)]);
  const holder = path.slice(0, -1).reduce((at, key) => at[key] as Record<string, unknown>, value);
  change(holder, path.at(-1) ?? "");
  return JSON.stringify(value);
}

/** What is done to a JSON document before its digest is taken. */
const textChanges: Readonly<Record<string, (random: Random, text: string) => string | Uint8Array>> = {
  "truncated JSON": (random, text) => text.slice(0, below(random, text.length)),
  "a wrong type": (random, text) =>
    changed(random, text, (holder, key) => {
      holder[key] = oneOf(random, odd);
    }),
  "a missing field": (random, text) =>
    changed(random, text, (holder, key) => {
      delete holder[key];
    }),
  "a huge number": (random, text) => {
    const huge = oneOf(random, ["1e999", "-1e999", "9007199254740993", "9".repeat(5000), "1e15", "4611686018427387904"]);
    return text.replace(/"size":\d+|"schemaVersion":\d+/, (found) => `${found.split(":")[0]}:${huge}`);
  },
  "duplicate keys": (random, text) => {
    const keys = [...text.matchAll(/"(\w+)":/g)];
    const { 1: key = "", index } = oneOf(random, keys);
    return `${text.slice(0, index)}"${key}":${JSON.stringify(oneOf(random, odd))},${text.slice(index)}`;
  },
  "__proto__": (random, text) => text.replace("{", `{"__proto__":${JSON.stringify(oneOf(random, odd))},"constructor":1,`),
  "deep nesting": (random, text) => {
    const depth = 10 ** (2 + below(random, 4));
    return text.replace("{", `{"annotations":${"[".repeat(depth)}${"]".repeat(depth)},`);
  },
  "many entries": (random, text) => {
    const count = 10 ** (2 + below(random, 3));
    return text.replace(/"(layers|manifests|diff_ids|history|Env)":\[(.*?)\](?=[,}])/, (_, name, items: string) =>
      `"${name}":[${Array.from({ length: count }, () => items || '"A=b"').join(",")}]`,
    );
  },
  "no JSON": (random) => oneOf(random, ["", " ", "null", "[]", "17", '"x"', "<html>", "\ufeff{}", "{}\n{}", "\0"]),
  "bytes that are no text": (random, text) => {
    const bytes = Buffer.from(text);
    for (let count = 0; count < 5; count++) bytes[below(random, bytes.length)] = below(random, 256);
    return bytes;
  },
};

function tarOf(...entries: readonly Uint8Array[]): Buffer {
  return Buffer.concat([...entries, Buffer.alloc(1024)]);
}

function fileEntry(path: string, content: string, size = content.length): Buffer {
  const head = header({ type: "file", path, content: { bytes: Buffer.from(content) } }, size);
  return Buffer.concat([head, Buffer.from(content), Buffer.alloc(-content.length & 511)]);
}

/** A layer that is small until it is unpacked. */
const bombs = new Map<string, Buffer>();
function bomb(kind: "gzip" | "Zstandard" | "one file"): Buffer {
  // More than the limit of memory leaves to a process that has just started.
  const zeros = Buffer.alloc(192 << 20);
  const pack = () => (kind === "Zstandard" ? zstdCompressSync(zeros) : gzipSync(kind === "gzip" ? zeros : Buffer.concat([fileEntry("usr/bin/tool", "", 2 ** 33 - 1), zeros])));
  const made = bombs.get(kind) ?? pack();
  bombs.set(kind, made);
  return made;
}

/** Layers that are not what their descriptors say, or more than they seem. */
const layerChanges: Readonly<Record<string, (random: Random, layer: Buffer) => Uint8Array>> = {
  "a truncated layer": (random, layer) => layer.subarray(0, below(random, layer.length)),
  "a damaged layer": (random, layer) => {
    const copy = Buffer.from(layer);
    for (let count = 0; count < 8; count++) copy[below(random, copy.length)] = below(random, 256);
    return copy;
  },
  "a layer of noise": (random) => Buffer.from(Array.from({ length: 4000 }, () => below(random, 256))),
  "an empty layer": () => Buffer.alloc(0),
  "a gzip bomb": () => bomb("gzip"),
  "a gzip bomb in one file": () => bomb("one file"),
  "a Zstandard bomb": () => bomb("Zstandard"),
  "paths that lead out": () =>
    gzipSync(
      tarOf(
        fileEntry("../../../../tmp/out", "x"),
        header({ type: "symlink", path: "usr", target: "/etc" }, 0),
        fileEntry("usr/passwd", "x"),
        header({ type: "symlink", path: "loop", target: "loop" }, 0),
        header({ type: "hardlink", path: "hard", target: "../../etc/shadow" }, 0),
      ),
    ),
  "a header that lies": (random) => {
    const tar = tarOf(fileEntry("usr/bin/tool", "x".repeat(3000)));
    tar.write(oneOf(random, ["77777777777", "-1         ", "99999999999", "\x80\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff"]), 124, "latin1");
    return gzipSync(tar);
  },
  "many files": () => gzipSync(tarOf(...Array.from({ length: 20_000 }, (_, index) => fileEntry(`a/${index}`, "")))),
  "a deep folder": () => gzipSync(tarOf(...Array.from({ length: 40 }, (_, depth) => fileEntry(`${"d/".repeat(depth * 2)}f`, "")))),
};

/** What is done to the files of a store once they are written. */
const storeChanges: Readonly<Record<string, (random: Random, draft: Draft) => void>> = {
  "a missing blob": (random, draft) => void draft.parts.delete(draft.someBlob(random)),
  "a blob of another digest": (random, draft) => {
    draft.parts.set(draft.someBlob(random), Buffer.from(oneOf(random, ["", "{}", "other", "x".repeat(70_000)])));
  },
  "a blob that is cut": (random, draft) => {
    const path = draft.someBlob(random);
    const bytes = draft.parts.get(path) as Uint8Array;
    draft.parts.set(path, bytes.subarray(0, below(random, bytes.length)));
  },
  "an index that is its own child": (_, draft) => {
    const mediaType = mediaTypes.index;
    const manifests = [{ mediaType, digest: draft.digests.index, size: 100, platform: { os: "linux", architecture: "amd64" } }];
    const text = JSON.stringify({ schemaVersion: 2, mediaType, manifests });
    draft.parts.set(blobOf(draft.digests.index), Buffer.from(text));
  },
  "a link for a blob": (random, draft) => draft.parts.set(draft.someBlob(random), { link: oneOf(random, links) }),
  "a folder for a blob": (random, draft) => draft.parts.set(draft.someBlob(random), "folder"),
  "a blob of a gigabyte": (random, draft) => draft.parts.set(draft.someBlob(random), { zeros: 2 ** 30 }),
  "a link for a folder": (random, draft) => {
    const folder = oneOf(random, ["blobs", "repositories/team", "repositories/team/app/_tags", "repositories/team/app/_manifests"]);
    for (const path of [...draft.parts.keys()]) if (path.startsWith(`${folder}/`)) draft.parts.delete(path);
    draft.parts.set(folder, { link: oneOf(random, links) });
  },
  "an odd tag": (random, draft) =>
    draft.parts.set(`repositories/team/app/_tags/${oneOf(random, tags)}`, oneOf(random, oddParts)),
  "an odd media type": (random, draft) =>
    draft.parts.set(`repositories/team/app/_manifests/${draft.digests[oneOf(random, tags)].replace(":", "-")}`, oneOf(random, oddParts)),
  "odd names": (random, draft) => {
    const names = ["team/app/_tags/-x", "team/app/_tags/a b\u001b[2J", "team/app/_manifests/sha256-12", "UPPER/_tags/x", "\u202e/_tags/x"];
    for (const name of names) draft.parts.set(`repositories/${name}`, oneOf(random, oddParts));
  },
  "a deep repository": (_, draft) => {
    draft.parts.set(`repositories/${"d/".repeat(400)}_tags/x`, Buffer.from(draft.digests.image));
  },
};

/** Where links out of a store lead. */
const links = ["/etc/passwd", "/dev/zero", "/", "/nowhere", "loop", "."] as const;
const oddParts: readonly Part[] = [
  ...["", "sha256:", "sha256:00\n", `sha256:${"0".repeat(64)}`, "text/html", "x".repeat(100_000)].map((text) => Buffer.from(text)),
  ...["folder" as const, { zeros: 2 ** 30 }, ...links.map((link) => ({ link }))],
];

const blobOf = (digest: Digest) => `blobs/${digest.replace(":", "/")}`;

/** The files of a store, by path. */
class Draft {
  readonly parts = new Map<string, Part>();
  digests: Readonly<Record<(typeof tags)[number], Digest>>;

  constructor(random: Random, spoiled: Partial<Record<Document, (content: Buffer) => Uint8Array>>) {
    const make = (kind: Document, content: Uint8Array) => this.#put((spoiled[kind] ?? ((same) => same))(Buffer.from(content)));
    const json = (kind: Document, value: object) => make(kind, Buffer.from(JSON.stringify(value)));
    const part = (mediaType: string, { digest, size }: { digest: Digest; size: number }) => ({ mediaType, digest, size });
    const tar = tarOf(fileEntry("usr/bin/tool", "x".repeat(5000)), fileEntry("etc/passwd", "root:x:0:0::/root:/bin/sh\n"));
    const layers = [gzipSync(tar), tar].map((layer, index) =>
      part(index === 0 ? mediaTypes.layerGzip : mediaTypes.layer, index === 0 ? make("layer", layer) : this.#put(layer)),
    );
    const imageFor = (architecture: string) => {
      const config = json("config", {
        architecture,
        os: "linux",
        config: { User: "1000", Env: ["PATH=/usr/bin"], Entrypoint: ["/usr/bin/tool"], Labels: { a: "b" } },
        rootfs: { type: "layers", diff_ids: [sha256(tar), sha256(tar)] },
        history: [{ created_by: "one" }, { comment: "two" }],
      });
      const manifest = { schemaVersion: 2, mediaType: mediaTypes.manifest, config: part(mediaTypes.config, config), layers };
      return { ...part(mediaTypes.manifest, json("manifest", manifest)), platform: { os: "linux", architecture } };
    };
    const images = ["amd64", "arm64"].map(imageFor);
    const indexOf = (manifests: readonly object[]) =>
      part(mediaTypes.index, json("index", { schemaVersion: 2, mediaType: mediaTypes.index, manifests }));
    const index = indexOf(images);
    let nested = { ...index, platform: { os: "linux", architecture: "amd64" } };
    const depth = oneOf(random, [1, 3, 60]);
    const indexes = [index];
    for (let level = 0; level < depth; level++) {
      nested = { ...nested, ...indexOf([nested]) };
      indexes.push(nested);
    }
    const [image] = images;
    this.digests = { image: image?.digest ?? index.digest, index: index.digest, nested: nested.digest };
    const folder = "repositories/team/app";
    for (const { digest, mediaType } of [...images, ...indexes]) {
      this.parts.set(`${folder}/_manifests/${digest.replace(":", "-")}`, Buffer.from(mediaType));
    }
    for (const path of [...this.parts.keys()].filter((each) => each.startsWith("blobs/sha256/"))) {
      this.parts.set(`${folder}/_blobs/sha256-${path.slice("blobs/sha256/".length)}`, Buffer.alloc(0));
    }
    for (const tag of tags) this.parts.set(`${folder}/_tags/${tag}`, Buffer.from(this.digests[tag]));
  }

  /** The path of a blob, of the three tagged manifests rather than of others. */
  someBlob(random: Random): string {
    const tagged = tags.map((tag) => blobOf(this.digests[tag]));
    return oneOf(random, [...tagged, ...[...this.parts.keys()].filter((path) => path.startsWith("blobs/"))]);
  }

  /** Writes the store. */
  write(folder: string): void {
    for (const [path, part] of this.parts) {
      const file = join(folder, path);
      try {
        mkdirSync(part === "folder" ? file : dirname(file), { recursive: true });
        if (part === "folder") continue;
        rmSync(file, { force: true });
        if (part instanceof Uint8Array) writeFileSync(file, part);
        else if ("link" in part) symlinkSync(part.link, file);
        else {
          const descriptor = openSync(file, "w");
          ftruncateSync(descriptor, part.zeros);
          closeSync(descriptor);
        }
      } catch (error) {
        // Below a link or a file of another change: not every two changes go together.
        if (!["EEXIST", "ENOTDIR", "ELOOP", "EISDIR", "EACCES", "ENOENT", "ENAMETOOLONG"].includes((error as NodeJS.ErrnoException).code ?? ""))
          throw error;
      }
    }
  }

  #put(bytes: Uint8Array): { digest: Digest; size: number } {
    const digest = sha256(bytes);
    this.parts.set(blobOf(digest), bytes);
    return { digest, size: bytes.length };
  }
}

interface Fault {
  readonly name: string;
  readonly spoiled?: Document;
  change(random: Random, content: Buffer): Uint8Array;
  later?(random: Random, draft: Draft): void;
}

/** All that can be wrong with a store. */
export const faults: readonly Fault[] = [
  ...Object.entries(textChanges).flatMap(([name, change]) =>
    (["config", "manifest", "index"] as const).map((spoiled) => ({
      ...{ name: `${name} in the ${spoiled}`, spoiled },
      change: (random: Random, content: Buffer) => Buffer.from(change(random, content.toString())),
    })),
  ),
  ...Object.entries(layerChanges).map(([name, change]) => ({ name, spoiled: "layer" as const, change })),
  ...Object.entries(storeChanges).map(([name, later]) => ({ name, later, change: (_: Random, same: Buffer) => same })),
];

/** Writes a store of the embedded registry with faults: `team/app` with an image, an index, and indexes of indexes. */
export function writeMalformed(folder: string, random: Random, wrong: readonly Fault[]): void {
  const spoiled: Partial<Record<Document, (content: Buffer) => Uint8Array>> = {};
  for (const { spoiled: kind, change } of wrong) if (kind) spoiled[kind] = (content) => change(random, content);
  const draft = new Draft(random, spoiled);
  for (const { later } of wrong) later?.(random, draft);
  draft.write(folder);
}
