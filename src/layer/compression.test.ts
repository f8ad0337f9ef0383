import { gunzipSync, gzipSync, zstdDecompressSync } from "node:zlib";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { type Codec, codecOf } from "./compression.ts";
import { probeGain } from "./probe.ts";
import { compressOnce } from "./segment-cache.ts";
import { segmentLimit } from "./segments.ts";
import { randomBytes, randomWeights, text } from "./testdata/content.ts";

const unpack = { gzip: gunzipSync, zstd: zstdDecompressSync };
const kinds = ["gzip", "zstd"] as const;
const random = randomBytes(segmentLimit);

async function compressed(kind: (typeof kinds)[number], content: Uint8Array): Promise<Uint8Array> {
  return (await compressOnce(codecOf(kind) as Codec, undefined, content)).bytes;
}

describe.each(kinds)("%s", (kind) => {
  it.each([
    ["random bytes", random],
    ["what is compressed already", gzipSync(text(8 * segmentLimit)).subarray(0, segmentLimit)],
  ])("stores %s", async (_name, content) => {
    expect(content.length).toBe(segmentLimit);
    const stored = await compressed(kind, content);
    expect(stored.length).toBeGreaterThan(content.length);
    // Headers of at most 5 bytes for each 64 KiB, and those of the whole.
    expect(stored.length).toBeLessThan(content.length + 110);
    expect(Buffer.from(stored).includes(content.subarray(0, 30_000))).toBe(true);
    expect(unpack[kind](stored).equals(content)).toBe(true);
  });

  it.each([
    ["text", text(segmentLimit)],
    ["random digits", Buffer.from(random.toString("hex")).subarray(0, segmentLimit)],
    ["half random bytes, half text", Buffer.concat([random.subarray(0, segmentLimit / 2), text(segmentLimit / 2)])],
    ["little text", text(2000)],
  ])("compresses %s", async (_name, content) => {
    const bytes = await compressed(kind, content);
    expect(bytes.length).toBeLessThan(content.length * 0.85);
    expect(unpack[kind](bytes).equals(content)).toBe(true);
  });

  it("gives the same bytes for the same content, and back the content", async () => {
    const part = fc.record({ from: fc.nat(100), size: fc.nat(200_000), random: fc.boolean() });
    await fc.assert(
      fc.asyncProperty(fc.array(part, { maxLength: 4 }), async (parts) => {
        const source = text(300_000);
        const content = Buffer.concat(
          parts.map(({ from, size, random: isRandom }) => (isRandom ? random : source).subarray(from, from + size)),
        );
        const [first, ...more] = await Promise.all(
          [0, 1, 7].map((offset) => compressed(kind, Buffer.concat([Buffer.alloc(offset), content]).subarray(offset))),
        );
        for (const other of more) expect(Buffer.compare(other, first as Uint8Array)).toBe(0);
        expect(unpack[kind](first as Uint8Array).equals(content)).toBe(true);
      }),
      { numRuns: 12 },
    );
  });
});

describe("the probe", () => {
  it("tells weights apart from random bytes: zstd compresses them, gzip stores them", async () => {
    const weights = randomWeights(segmentLimit);
    expect(await probeGain(weights)).toBeGreaterThan(1 / 16);
    expect(await probeGain(random)).toBeLessThan(0);
    expect((await compressed("zstd", weights)).length).toBeLessThan(segmentLimit * 0.94);
    expect((await compressed("gzip", weights)).length).toBeGreaterThan(segmentLimit);
  });
});
