import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { crc32 } from "node:zlib";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { SegmentCache, type StoredSegment, segmentKey } from "./segment-cache.ts";

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

  it("tells segments apart by content and compression", async () => {
    const keys = await Promise.all([
      segmentKey("gzip", Buffer.from("a")),
      segmentKey("zstd", Buffer.from("a")),
      segmentKey("gzip", Buffer.from("b")),
    ]);
    expect(new Set(keys).size).toBe(3);
    expect(await segmentKey("gzip", Buffer.from("xa").subarray(1))).toBe(keys[0]);
  });
});
