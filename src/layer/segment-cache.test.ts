import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { crc32 } from "node:zlib";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { type Codec, codecOf } from "./compression.ts";
import { compressOnce, SegmentCache, type StoredSegment, segmentKey } from "./segment-cache.ts";
import { randomBytes, text } from "./testdata/content.ts";

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "cache-"));
});
afterEach(() => {
  rmSync(folder, { recursive: true, force: true });
});

/** Writes a layer of texts, which are their own keys, and keeps it. */
function keep(cache: SegmentCache, name: string, texts: readonly string[]): string {
  const path = join(folder, name);
  const segments: StoredSegment[] = [];
  let offset = 0;
  for (const text of texts) {
    segments.push({ key: text, offset, size: text.length, crc: crc32(text) });
    offset += text.length;
  }
  rmSync(path, { force: true });
  writeFileSync(path, texts.join(""));
  cache.keep(path, segments);
  return path;
}

const find = (cache: SegmentCache, key: string) => cache.find(key) && Buffer.from(cache.find(key) ?? "").toString();
const openFiles = () => readdirSync("/proc/self/fd").length;

describe("the cache of segments", () => {
  it("finds them in layers that are gone", () => {
    const cache = new SegmentCache();
    rmSync(keep(cache, "layer", ["first", "second"]));
    expect(["first", "second", "third"].map((key) => find(cache, key))).toEqual(["first", "second", undefined]);
    cache.close();
    expect(find(cache, "first")).toBeUndefined();
  });

  it.each([
    ["changed", () => "first, sEcond"],
    ["cut short", (text: string) => text.slice(0, -1)],
    ["empty", () => ""],
  ])("does not find what was %s", (_how, change) => {
    const cache = new SegmentCache();
    const path = keep(cache, "layer", ["first, ", "second"]);
    writeFileSync(path, change(readFileSync(path, "utf8")), { flag: "r+" });
    if (change("xx").length < 2) writeFileSync(path, change("first, second"));
    expect(find(cache, "second")).toBeUndefined();
    cache.close();
  });

  it("keeps the newest layer of a path, and of all layers the newest", () => {
    const before = openFiles();
    const cache = new SegmentCache(2);
    keep(cache, "a", ["1", "2"]);
    keep(cache, "a", ["2", "3"]);
    expect(["1", "2", "3"].map((key) => find(cache, key))).toEqual([undefined, "2", "3"]);
    keep(cache, "b", ["3", "4"]);
    keep(cache, "c", ["5"]);
    expect(["2", "3", "4", "5"].map((key) => find(cache, key))).toEqual([undefined, "3", "4", "5"]);
    expect(openFiles()).toBe(before + 2);
    cache.close();
    expect(openFiles()).toBe(before);
  });

  it("goes on without what cannot be opened", () => {
    const cache = new SegmentCache();
    cache.keep(join(folder, "missing"), [{ key: "a", offset: 0, size: 1, crc: 0 }]);
    expect(cache.find("a")).toBeUndefined();
  });

  const five = ["1", "22", "333", "4444", "55555"];

  it("finds them in the layer that another process has written to the same path and Bazel has deleted", () => {
    const first = new SegmentCache();
    rmSync(keep(first, "layer", five));
    first.close();
    const second = new SegmentCache();
    second.load(join(folder, "layer"));
    expect(five.map((key) => find(second, key))).toEqual(five);
    // The newer one takes its place.
    const newer = ["1", "22", "333", "4444", "else"];
    rmSync(keep(second, "layer", newer));
    second.close();
    const third = new SegmentCache();
    third.load(join(folder, "layer"));
    expect([...newer, "55555"].map((key) => find(third, key))).toEqual([...newer, undefined]);
    third.close();
  });

  it("stores nothing twice, and nothing beside a small layer", () => {
    const cache = new SegmentCache();
    const path = keep(cache, "layer", five);
    expect(readdirSync(folder).sort()).toEqual([".layer.kept", ".layer.segments", "layer"]);
    expect(statSync(path).nlink).toBe(2);
    keep(cache, "layer", ["1", "2", "3"]);
    expect(readdirSync(folder)).toEqual(["layer"]);
    keep(cache, "layer", []);
    expect(readdirSync(folder)).toEqual(["layer"]);
    cache.close();
  });

  it.each([
    ["of another layer", ".layer.kept", () => "x".repeat(40)],
    ["cut short", ".layer.kept", (text: string) => text.slice(0, 1)],
    ["of another list", ".layer.segments", (text: string) => text.replaceAll(/^\d+/gm, "7")],
    ["damaged", ".layer.segments", () => "1 2\n999999999999999 9999999 0 22\n{}"],
  ])("does not find the kept bytes that are %s", (_how, name, change) => {
    const first = new SegmentCache();
    keep(first, "layer", five);
    first.close();
    const file = join(folder, name);
    writeFileSync(file, change(readFileSync(file, "utf8")));
    const second = new SegmentCache();
    second.load(join(folder, "layer"));
    expect(five.slice(1).map((key) => find(second, key))).toEqual(five.slice(1).map(() => undefined));
    second.close();
  });

  it("goes on where nothing can be kept beside the layer", () => {
    const cache = new SegmentCache();
    mkdirSync(join(folder, ".layer.kept/in the way"), { recursive: true });
    keep(cache, "layer", five);
    cache.close();
    const second = new SegmentCache();
    second.load(join(folder, "layer"));
    expect(second.find("22")).toBeUndefined();
  });
});

describe.each(["gzip", "zstd"] as const)("a segment compressed by %s once", (kind) => {
  const codec = codecOf(kind) as Codec;
  const content = text(100_000);

  it("is told apart by content and compression", () => {
    const keys = [
      segmentKey(codec, Buffer.from("a")),
      segmentKey(codec, Buffer.from("b")),
      segmentKey(codec, Buffer.from("a ")),
      segmentKey({ name: "another" }, Buffer.from("a")),
    ];
    expect(new Set(keys).size).toBe(4);
    expect(segmentKey(codec, Buffer.from("xa").subarray(1))).toBe(keys[0]);
  });

  /** Finds `bytes` under every key. */
  const finding = (bytes: Uint8Array) => Object.assign(new SegmentCache(), { find: () => bytes });

  it("is taken if it gives back the content, and else compressed again", async () => {
    const right = await codec.compress(content, false);
    expect(await compressOnce(codec, finding(right), content)).toMatchObject({ bytes: right, key: expect.any(String) });
    for (const wrong of [
      await codec.compress(Buffer.concat([content, Buffer.alloc(1)]), false),
      await codec.compress(Buffer.concat([content.subarray(1), Buffer.alloc(1)]), false),
      right.subarray(0, -9),
      Buffer.from("nonsense"),
      Buffer.alloc(0),
    ]) {
      const { bytes } = await compressOnce(codec, finding(wrong), content);
      expect(Buffer.compare(bytes, right)).toBe(0);
    }
  });

  it("has no key and is not looked up if it is stored", async () => {
    const cache = new SegmentCache();
    const find = vi.spyOn(cache, "find");
    expect(await compressOnce(codec, cache, randomBytes(100_000))).not.toHaveProperty("key");
    expect(find).not.toHaveBeenCalled();
    expect(await compressOnce(codec, cache, content)).toHaveProperty("key");
    expect(await compressOnce(codec, undefined, content)).not.toHaveProperty("key");
  });
});
