import { execFileSync } from "node:child_process";
import { createHash } from "node:crypto";
import {
  chmodSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  rmSync,
  statSync,
  symlinkSync,
  truncateSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { gunzipSync, zstdDecompressSync } from "node:zlib";
import fc from "fast-check";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { userErrorWith } from "../core/testdata/reported.ts";
import { worthThread } from "./blob-hash.ts";
import type { Compression } from "./compression.ts";
import type { Content, EmbeddedContent, TarEntry } from "./entry.ts";
import { SegmentCache } from "./segment-cache.ts";
import { segmentLimit } from "./segments.ts";
import { writeLayer } from "./write.ts";

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "layer-"));
});
afterEach(() => {
  rmSync(folder, { recursive: true, force: true });
});

function source(name: string, content: string | Uint8Array): string {
  const path = join(folder, name);
  mkdirSync(dirname(path), { recursive: true });
  writeFileSync(path, content);
  return path;
}

async function write(entries: Iterable<TarEntry>, compression: Compression = "gzip", name = "layer") {
  const output = join(folder, name);
  const metadata = await writeLayer({ entries, output, compression });
  return { metadata, output, blob: readFileSync(output) };
}

/** Node's own zstd reader stops after the first frame that a buffer holds. */
function unzstd(blob: Uint8Array): Buffer {
  const frames: Buffer[] = [];
  for (let rest = blob; rest.length > 0; ) {
    const { buffer, engine } = zstdDecompressSync(rest, { info: true }) as unknown as {
      buffer: Buffer;
      engine: { bytesWritten: number };
    };
    frames.push(buffer);
    rest = rest.subarray(engine.bytesWritten);
  }
  return Buffer.concat(frames);
}

/** Bytes that compress like program text and are the same on every run. */
function pattern(size: number, seed = 1): Buffer {
  const bytes = Buffer.alloc(size);
  let state = seed;
  for (let index = 0; index < size; index++) {
    state = (Math.imul(state, 1103515245) + 12345) >>> 0;
    bytes[index] = 32 + ((state >>> 24) % 40);
  }
  return bytes;
}

const noise = pattern(2 * segmentLimit);

/** Counts what was found. */
class CountingCache extends SegmentCache {
  found = 0;
  missing = 0;

  override find(key: string) {
    const bytes = super.find(key);
    if (bytes === undefined) this.missing++;
    else this.found++;
    return bytes;
  }
}

const sha256 = (bytes: Uint8Array) => `sha256:${createHash("sha256").update(bytes).digest("hex")}`;

type Unpacked = Record<string, string>;

/** What a folder holds, by path: kind, permissions and content. */
function inventory(root: string, path = ""): Unpacked {
  const found: Unpacked = {};
  for (const item of readdirSync(join(root, path), { withFileTypes: true })) {
    const below = path ? `${path}/${item.name}` : item.name;
    const full = join(root, below);
    if (item.isSymbolicLink()) found[below] = `link ${readlinkSync(full)}`;
    else if (item.isDirectory()) Object.assign(found, { [below]: "directory" }, inventory(root, below));
    else found[below] = `file ${(statSync(full).mode & 0o777).toString(8)} ${sha256(readFileSync(full))}`;
  }
  return found;
}

function available(program: string): boolean {
  try {
    execFileSync(program, ["--version"], { stdio: "ignore" });
    return true;
  } catch {
    return false;
  }
}

const readers: [name: string, args: (archive: string) => string[]][] = [
  ["tar", (archive) => ["-xpf", archive, "--no-same-owner"]],
  ["bsdtar", (archive) => ["-xpf", archive, "--no-same-owner"]],
  ["python3", (archive) => ["-c", `import tarfile; tarfile.open(${JSON.stringify(archive)}).extractall()`]],
];

describe("writeLayer", () => {
  // libarchive brings names to their composed form when it unpacks them.
  const component = fc
    .oneof(
      fc.string({ unit: "grapheme", minLength: 1, maxLength: 12 }).map((text) => text.normalize("NFC")),
      fc.stringMatching(/^[a-z0-9._-]{1,20}$/),
      fc.integer({ min: 90, max: 240 }).map((length) => "n".repeat(length)),
    )
    .filter((text) => !/[/\0]/.test(text) && text !== "." && text !== ".." && Buffer.byteLength(text) <= 240);
  const content = fc.oneof(
    fc.uint8Array({ maxLength: 2000 }),
    fc.constantFrom(0, 1, 511, 512, 513, 300_000, segmentLimit).map((size) => pattern(size)),
  );
  const item = fc.record({
    parts: fc.array(component, { minLength: 1, maxLength: 4 }),
    value: fc.oneof(content, component, fc.constant(undefined)),
    mode: fc.constantFrom(0o755, 0o644, 0o700),
  });

  it.each(readers.filter(([reader]) => available(reader)))(
    "is unpacked by %s to what was put in",
    async (reader, unpackArgs) => {
      await fc.assert(
        fc.asyncProperty(fc.uniqueArray(item, { maxLength: 12, selector: ({ parts }) => parts[0] }), async (items) => {
          const expected: Unpacked = {};
          const entries = items.map(({ parts, value, mode }): TarEntry => {
            const path = parts.join("/");
            for (let index = 1; index < parts.length; index++) expected[parts.slice(0, index).join("/")] = "directory";
            if (value === undefined) expected[path] = "directory";
            else if (typeof value === "string") expected[path] = `link ${value}`;
            else expected[path] = `file ${mode.toString(8)} ${sha256(value)}`;
            if (value === undefined) return { type: "directory", path };
            if (typeof value === "string") return { type: "symlink", path, target: value };
            return { type: "file", path, mode, content: { bytes: value } };
          });
          const { output } = await write(entries, "none");
          const unpacked = join(folder, "unpacked");
          mkdirSync(unpacked);
          execFileSync(reader, unpackArgs(output), { cwd: unpacked, env: { ...process.env, LC_ALL: "C.UTF-8" } });
          try {
            expect(inventory(unpacked)).toEqual(expected);
          } finally {
            rmSync(unpacked, { recursive: true });
          }
        }),
        { numRuns: 15 },
      );
    },
  );

  const assorted = (): TarEntry[] => [
    ...Array.from({ length: 60 }, (_, index): TarEntry => {
      const path = `app/lib/module${index}.js`;
      return { type: "file", path, content: { file: source(path, pattern(9000, index + 1)) } };
    }),
    { type: "file", path: "app/data.bin", content: { file: source("data.bin", pattern(2 * segmentLimit + 77)) } },
    { type: "file", path: "app/empty", content: { bytes: new Uint8Array() } },
    { type: "symlink", path: "app/run", target: "lib/module1.js" },
    { type: "hardlink", path: "app/again.bin", target: "app/data.bin" },
    { type: "directory", path: "home/slipway", uid: 1000, gid: 1000 },
  ];

  it("says what it wrote, and the same tar in every compression", async () => {
    const { metadata: plain, blob: tar } = await write(assorted(), "none");
    expect(plain).toEqual({
      mediaType: "application/vnd.oci.image.layer.v1.tar",
      digest: sha256(tar),
      diffId: sha256(tar),
      size: tar.length,
    });
    for (const [kind, unpack] of [
      ["gzip", gunzipSync],
      ["zstd", unzstd],
    ] as const) {
      const { metadata, blob } = await write(assorted(), kind);
      const mediaType = `application/vnd.oci.image.layer.v1.tar+${kind}`;
      expect(metadata).toEqual({ mediaType, digest: sha256(blob), diffId: plain.diffId, size: blob.length });
      expect(unpack(blob).equals(tar)).toBe(true);
    }
  });

  it("gives the digests it has always given", async () => {
    // A new version of Node that changes the last two changes every layer of every user: say so in the release notes.
    const digests = await Promise.all(
      (["none", "gzip", "zstd"] as const).map(async (kind) => (await write(assorted(), kind, kind)).metadata.digest),
    );
    expect(digests).toEqual([
      "sha256:e18c63fc49d3a2fb85951ff87a304f475d7ff208f3dadfabab860d21dcd82c4a",
      "sha256:bcf3600126512af47faa3787125703b2c78dd3fca66c56d02d64dbdbdba6cb20",
      "sha256:27763f58f1d48c05142ba14b05fe7a05199b7ed99b27a16e808334776ae73b2a",
    ]);
  });

  it("does not depend on the order, the modes and the links of what it reads", async () => {
    const { metadata } = await write(assorted());
    const changed = assorted().reverse();
    for (const entry of changed) {
      if (entry.type !== "file" || !("file" in entry.content)) continue;
      chmodSync(entry.content.file, 0o400);
      const link = `${entry.content.file}.link`;
      symlinkSync(entry.content.file, link);
      Object.assign(entry.content, { file: link });
    }
    const umask = process.umask(0o077);
    try {
      expect((await write(changed)).metadata).toEqual(metadata);
    } finally {
      process.umask(umask);
    }
  });

  /** Many files, of which one is edited. */
  const files = (edited: Uint8Array) =>
    Array.from({ length: 400 }, (_, index): TarEntry => {
      const bytes = index === 200 ? edited : pattern(9000, index + 1);
      return { type: "file", path: `app/${String(index).padStart(3, "0")}`, content: { bytes } };
    });

  it("changes the compressed bytes around an edited file only", async () => {
    const { blob: before } = await write(files(pattern(9000)));
    const { blob: after } = await write(files(pattern(12_000)));
    let start = 0;
    while (before[start] === after[start]) start++;
    let end = 0;
    while (before.at(-1 - end) === after.at(-1 - end)) end++;
    expect(before.length - start - end).toBeLessThan(before.length / 5);
    expect(start).toBeGreaterThan(0);
    expect(end).toBeGreaterThan(before.length / 5);
  });

  it.each(["gzip", "zstd"] as const)("compresses by %s what has changed and nothing else", async (compression) => {
    const cache = new CountingCache();
    const [before, after] = [files(pattern(9000, 1000)), files(pattern(9000, 2000))];
    const output = join(folder, "layer");
    await writeLayer({ entries: before, output, compression, cache });
    expect(cache).toMatchObject({ found: 0 });
    const segments = cache.missing;
    expect(segments).toBeGreaterThan(4);
    // As Bazel does.
    rmSync(output);
    const metadata = await writeLayer({ entries: after, output, compression, cache });
    expect(cache).toMatchObject({ found: segments - 1, missing: segments + 1 });
    expect(metadata).toEqual((await write(after, compression, "plain")).metadata);
    expect(metadata.digest).toBe(sha256(readFileSync(output)));
    cache.close();

    // In another process, and back to the files before.
    rmSync(output);
    const next = new CountingCache();
    expect(await writeLayer({ entries: after, output, compression, cache: next })).toEqual(metadata);
    expect(next).toMatchObject({ found: segments, missing: 0 });
    next.close();
  });

  it("is the same with a cache and without one, whatever was written before", async () => {
    const content = fc.record({ size: fc.nat({ max: segmentLimit + (1 << 18) }), seed: fc.nat({ max: 3 }) });
    const tree = fc.dictionary(fc.stringMatching(/^[a-e]{1,2}$/), content, { maxKeys: 4 });
    const compression = fc.constantFrom("gzip", "zstd", "none");
    await fc.assert(
      fc.asyncProperty(fc.array(fc.tuple(tree, compression), { minLength: 2, maxLength: 4 }), async (layers) => {
        const cache = new SegmentCache(2);
        for (const [index, [files, compression]] of layers.entries()) {
          const entries = Object.entries(files).map(([path, { size, seed }]): TarEntry => {
            return { type: "file", path, content: { bytes: noise.subarray(seed, seed + size) } };
          });
          const output = join(folder, `cached-${index % 3}`);
          const metadata = await writeLayer({ entries, output, compression, cache });
          expect(metadata).toEqual((await write(entries, compression, "plain")).metadata);
          expect(metadata.digest).toBe(sha256(readFileSync(output)));
        }
        cache.close();
      }),
      { numRuns: 8, endOnFailure: true },
    );
  });

  it("holds no time, no name and no system in its gzip headers", async () => {
    const { blob } = await write([{ type: "symlink", path: "a", target: "b" }]);
    expect(blob.subarray(0, 10).toString("hex")).toBe("1f8b08000000000000ff");
  });

  it.each([
    ["missing", () => {}, "file-unreadable"],
    ["a link to nothing", (path) => symlinkSync("nowhere", path), "file-unreadable"],
    ["a directory", (path) => mkdirSync(path), "file-invalid"],
    ["a named pipe", (path) => execFileSync("mkfifo", [path]), "file-invalid"],
  ] as const satisfies [string, (path: string) => unknown, string][])(
    "refuses a source that is %s, and leaves nothing",
    async (_case, make, code) => {
      const file = join(folder, "source");
      make(file);
      const before = readdirSync(folder);
      const failed = write([
        { type: "file", path: "app/a", content: { bytes: pattern(3 * segmentLimit) } },
        { type: "file", path: "app/b", content: { file } },
      ]);
      await expect(failed).rejects.toThrow(userErrorWith(code, file));
      await expect(failed).rejects.toThrow("/app/b");
      expect(readdirSync(folder)).toEqual(before);
    },
  );

  /** A file whose blob another thread hashes. */
  const large = (): TarEntry => {
    const file = source("large", "");
    truncateSync(file, worthThread);
    return { type: "file", path: "app/large", content: { file } };
  };
  const threads = () => process.getActiveResourcesInfo().filter((name) => name === "MessagePort").length;

  it("says what it wrote of a large file", async () => {
    const { metadata, blob } = await write([large()]);
    expect(metadata).toMatchObject({ digest: sha256(blob), size: blob.length });
  });

  it.each([
    ["a source is missing", "does not exist", (): Content | EmbeddedContent => ({ file: join(folder, "missing") })],
    ["it is aborted", "aborted", (stop: AbortController) => ({ size: 2 * segmentLimit, read: () => stop.abort() })],
  ])("ends its thread when %s", async (_why, problem, content) => {
    const stop = new AbortController();
    const last: TarEntry = { type: "file", path: "app/last", content: content(stop) };
    const output = join(folder, "layer");
    const failed = writeLayer({ entries: [large(), last], output, compression: "gzip", signal: stop.signal });
    await expect(failed).rejects.toThrow(problem);
    expect(threads()).toBe(0);
    expect(readdirSync(folder)).toEqual(["large"]);
  });

  it("stops when it is aborted, and leaves what was there", async () => {
    writeFileSync(join(folder, "layer"), "before");
    const output = join(folder, "layer");
    const signal = AbortSignal.abort();
    const failed = writeLayer({ entries: assorted(), output, compression: "gzip", signal });
    await expect(failed).rejects.toThrow("aborted");
    expect(readFileSync(join(folder, "layer"), "utf8")).toBe("before");
    expect(readdirSync(folder).filter((name) => name.endsWith(".part"))).toEqual([]);
  });
});
