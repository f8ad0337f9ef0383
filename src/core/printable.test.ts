import { PassThrough } from "node:stream";
import fc from "fast-check";
import { expect, it } from "vitest";
import { escapeText, printable, printableLines } from "./printable.ts";

const hidden: readonly (readonly [from: number, to: number])[] = [
  [0x00, 0x1f],
  [0x7f, 0x9f],
  [0xad, 0xad],
  [0x61c, 0x61c],
  [0x180e, 0x180e],
  [0x200b, 0x200f],
  [0x2028, 0x202e],
  [0x2060, 0x206f],
  [0xd800, 0xdfff],
  [0xfeff, 0xfeff],
  [0xfff9, 0xfffb],
  [0xe0001, 0xe0001],
  [0xe0020, 0xe007f],
  [0xe0100, 0xe01ef],
];

it("shows every character that a terminal obeys or that nobody sees", () => {
  for (const [from, to] of hidden) {
    for (let code = from; code <= to; code++) {
      const shown = printable(`a${String.fromCodePoint(code)}b`);
      expect({ code, shown }).toEqual({ code, shown: expect.stringMatching(/^a(\\u[\da-f]{4}|\\[nrt]){1,2}b$/) });
    }
  }
  expect(printable("\u001b]8;;http://x\u0007link\u001b]8;;\u0007")).toBe(
    "\\u001b]8;;http://x\\u0007link\\u001b]8;;\\u0007",
  );
  expect(printable("one\ntwo\tthree\r")).toBe("one\\ntwo\\tthree\\r");
  expect(printableLines("one\ntwo\tthree\r")).toBe("one\ntwo\tthree\\r");
});

it("leaves text of all languages, and emoji, as they are", () => {
  for (const text of ["Grüße, 世界 – мир", "שלום עולם", "مرحبا", "é 🚀 ⚠️ 🇨🇭", "C:\\u001b"]) {
    expect(printable(text)).toBe(text);
  }
});

it("is the same JSON after it, and changes nothing the second time", () => {
  fc.assert(
    fc.property(fc.json({ stringUnit: "binary" }), fc.string({ unit: "binary" }), (json, text) => {
      expect(JSON.parse(printableLines(json))).toEqual(JSON.parse(json));
      const once = printable(text);
      expect(printable(once)).toBe(once);
      expect(once).toMatch(/^[^\p{Cc}\p{Cf}\p{Zl}\p{Zp}]*$/u);
    }),
  );
});

it("escapes the text of a stream, and passes bytes", async () => {
  const stream = new PassThrough();
  escapeText(stream);
  stream.write("a\u001b[2J\n");
  await new Promise<void>((resolve) => stream.write("\u202e", "utf8", () => resolve()));
  stream.end(Buffer.from("\u001b[K"));
  expect(Buffer.concat(await stream.toArray()).toString()).toBe("a\\u001b[2J\n\\u202e\u001b[K");
});
