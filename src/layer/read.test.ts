import { execFileSync } from "node:child_process";
import { linkSync, mkdirSync, mkdtempSync, rmSync, symlinkSync, truncateSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { gzipSync, zstdCompressSync } from "node:zlib";
import fc from "fast-check";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { decompressLayer } from "./decompress.ts";
import { type ListedEntry, listTar } from "./read.ts";

let folder: string;
const long = `${"folder/".repeat(20)}${"n".repeat(120)}`;
const files = new Map([
  ["empty", 0],
  ["a/b/c", 513],
  ["ümläut/ship ⛵", 1024],
  [long, 70_000],
]);

beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), "slipway-tar-"));
  for (const [path, size] of files) {
    mkdirSync(dirname(join(folder, path)), { recursive: true });
    writeFileSync(join(folder, path), "x".repeat(size));
  }
  symlinkSync("b/c", join(folder, "a/link"));
  linkSync(join(folder, "a/b/c"), join(folder, "z-hard"));
  writeFileSync(join(folder, "sparse"), "begin");
  truncateSync(join(folder, "sparse"), 40 << 20);
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const tar = (...options: string[]) =>
  execFileSync("tar", [...options, "--sort=name", "-C", folder, "-cf", "-", "."], { maxBuffer: 1 << 30 });

async function* pieces(bytes: Uint8Array, size: number): AsyncGenerator<Uint8Array> {
  for (let at = 0; at < bytes.length; at += size) yield bytes.subarray(at, at + size);
}

async function list(blob: Uint8Array, size = 65_536): Promise<ListedEntry[]> {
  const entries: ListedEntry[] = [];
  for await (const entry of listTar(decompressLayer(pieces(blob, size)))) entries.push(entry);
  return entries;
}

const sizes = (entries: ListedEntry[]) =>
  new Map(entries.filter(({ type }) => type === "file").map(({ path, size }) => [path, size]));

describe("listTar", () => {
  it.each(["gnu", "posix"])("lists what GNU tar writes as %s", async (format) => {
    const entries = await list(tar(`--format=${format}`));
    expect(sizes(entries)).toEqual(new Map([...files, ["sparse", 40 << 20]]));
    const other = entries.filter(({ type }) => type !== "file").map(({ path, type }) => `${type} ${path}`);
    expect(other).toEqual(expect.arrayContaining(["directory ", "directory a/b", "symlink a/link", "hardlink z-hard"]));
  });

  it.each(["gnu", "posix"])("lists sparse files of %s, whose holes are not in the tar", async (format) => {
    const entries = await list(tar(`--format=${format}`, "--sparse"));
    expect([...sizes(entries).keys()].sort()).toEqual([...files.keys(), "sparse"].sort());
    expect(sizes(entries).get("sparse")).toBeLessThan(1 << 20);
    expect(sizes(entries).get(long)).toBe(70_000);
  });

  it.each(["gnu", "posix"])(
    "tells owner, mode, target and, where asked, the beginning of a file, of %s",
    async (format) => {
      const options = [`--format=${format}`, "--owner=:3000000", "--group=:7", "--mode=u=rwxs,g=rx,o="];
      const found = new Map<string, ListedEntry>();
      const asked = ({ path }: ListedEntry) => (path === "a/b/c" ? 3 : path === long ? 1e9 : 0);
      for await (const entry of listTar(pieces(tar(...options), 1000), asked)) found.set(entry.path, entry);
      expect(found.get("a/b/c")).toMatchObject({ mode: 0o4750, uid: 3_000_000, gid: 7, target: "", size: 513 });
      expect(found.get("a/b/c")?.head?.toString()).toBe("xxx");
      expect(found.get(long)?.head?.length).toBe(70_000);
      expect(found.get("empty")).not.toHaveProperty("head");
      expect(found.get("a/link")).toMatchObject({ target: "b/c" });
      expect(found.get("z-hard")).toMatchObject({ target: expect.stringMatching(/a\/b\/c$/) });
    },
  );

  it("reads the same however the bytes come, and however they are compressed", async () => {
    const bytes = tar("--format=gnu", "--exclude=./sparse");
    const whole = await list(bytes);
    const half = Math.floor(bytes.length / 2);
    const parts = [bytes.subarray(0, half), bytes.subarray(half)];
    const skippable = Buffer.concat([Buffer.from("502a4d1803000000", "hex"), Buffer.from("abc")]);
    const blobs = [
      bytes,
      Buffer.concat(parts.map((part) => gzipSync(part))),
      Buffer.concat([skippable, ...parts.map((part) => zstdCompressSync(part)), skippable]),
    ];
    await fc.assert(
      fc.asyncProperty(fc.constantFrom(...blobs), fc.integer({ min: 1, max: 5000 }), async (blob, size) => {
        expect(await list(blob, size)).toEqual(whole);
      }),
      { numRuns: 30 },
    );
  });

  it("reads to the end of what pads a tar, so that all of the blob is verified", async () => {
    let read = 0;
    const blob = Buffer.concat([tar("--exclude=./sparse"), Buffer.alloc(100_000)]);
    async function* counted() {
      for await (const piece of pieces(blob, 1000)) {
        read += piece.length;
        yield piece;
      }
    }
    for await (const entry of listTar(counted())) expect(entry.path).toBeTypeOf("string");
    expect(read).toBe(blob.length);
  });

  it.each<[string, (bytes: Buffer) => Uint8Array, RegExp]>([
    ["no tar", () => Buffer.from("x".repeat(2000)), /no tar header at byte 0/],
    ["half a header", (bytes) => bytes.subarray(0, 100), /no tar header at byte 0/],
    ["a flipped bit in a header", (bytes) => flip(bytes, 100), /no tar header at byte 0/],
    ["one that is cut short", (bytes) => bytes.subarray(0, bytes.length - 20_000), /cut short|no tar header/],
    ["gzip that is cut short", (bytes) => gzipSync(bytes).subarray(0, -20), /unexpected end of file/],
    ["zstd that is cut short", (bytes) => zstdCompressSync(bytes).subarray(0, -9), /unexpected end of file/],
    ["a broken gzip", (bytes) => flip(gzipSync(bytes), 30), /./],
    [
      "zstd followed by something else",
      (bytes) => Buffer.concat([zstdCompressSync(bytes), Buffer.from("junk")]),
      /no zstd frame/,
    ],
  ])("refuses %s", async (_, damage, problem) => {
    const bytes = tar("--format=posix", "--exclude=./sparse", "--owner=0", "--group=0");
    await expect(list(damage(bytes))).rejects.toThrow(problem);
  });

  it("never hangs or crashes on damage", async () => {
    const bytes = tar("--format=gnu", "--exclude=./sparse");
    await fc.assert(
      fc.asyncProperty(fc.nat(bytes.length - 1), fc.nat(255), async (at, value) => {
        const damaged = Buffer.from(bytes);
        damaged[at] = value;
        await list(damaged).catch((error) => expect(error).toBeInstanceOf(RangeError));
      }),
      { numRuns: 200 },
    );
  });
});

function flip(bytes: Buffer, at: number): Buffer {
  const damaged = Buffer.from(bytes);
  damaged[at] = (damaged[at] ?? 0) ^ 0x10;
  return damaged;
}
