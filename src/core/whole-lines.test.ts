import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { prefixOf, WholeLines } from "./whole-lines.ts";

/** In pieces of `size` bytes. */
const pieces = (text: string, size: number) => {
  const bytes = Buffer.from(text);
  return Array.from({ length: Math.ceil(bytes.length / size) }, (_, index) =>
    bytes.subarray(index * size, (index + 1) * size),
  );
};
const texts = fc.array(fc.constantFrom("a", "é", "\n", "\r", "\u2028", "bcd"), { maxLength: 30 });
const sizes = fc.integer({ min: 1, max: 9 });

describe("WholeLines", () => {
  it("passes on every line once, after its prefix, however the text comes", async () => {
    await fc.assert(
      fc.asyncProperty(texts, sizes, async (text, size) => {
        const written: string[] = [];
        const lines = new WholeLines(
          () => "> ",
          (bytes) => void written.push(bytes.toString()),
        );
        for (const piece of pieces(text.join(""), size)) await lines.write(piece);
        await lines.end();
        await lines.end();
        expect(written.every((part) => part.startsWith("> ") && part.endsWith("\n"))).toBe(true);
        const whole = text.join("").replace(/\n$/, "");
        const expected = text.length === 0 ? "" : whole.split("\n").map((line) => `> ${line}\n`);
        expect(written.join("")).toBe([expected].flat().join(""));
      }),
    );
  });

  it("holds back a line until its end, or 64 KiB of it", async () => {
    const written: number[] = [];
    const lines = new WholeLines(
      () => "",
      (bytes) => void written.push(bytes.length),
    );
    await lines.write(Buffer.alloc(64 * 1024, "x"));
    expect(written).toEqual([]);
    await lines.write(Buffer.from("x"));
    expect(written).toEqual([64 * 1024 + 2]);
    await lines.write(Buffer.from("\nabc"));
    await lines.write(Buffer.from("d\n"));
    expect(written.slice(1)).toEqual([1, 5]);
  });

  it("has a prefix that shows a foreign name, in one of six colours", () => {
    expect(prefixOf("a\u001b")).toBe("[a\\u001b] ");
    expect([0, 1, 6].map((color) => prefixOf("a", color))).toEqual(
      [36, 33, 36].map((color) => `\u001b[${color}m[a]\u001b[0m `),
    );
    expect(new Set([0, 1, 2, 3, 4, 5].map((color) => prefixOf("a", color))).size).toBe(6);
  });
});
