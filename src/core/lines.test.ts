import { once } from "node:events";
import { PassThrough } from "node:stream";
import fc from "fast-check";
import { expect, it } from "vitest";
import { onLines } from "./lines.ts";

it("gives whole lines, split at line feeds only", async () => {
  const stream = new PassThrough();
  const lines: string[] = [];
  onLines(stream, (line) => lines.push(line));
  for (const piece of ["a\r\u2028b", "\nc", "\n\nd"]) stream.write(piece);
  stream.end();
  await once(stream, "end");
  expect(lines).toEqual(["a\r\u2028b", "c", ""]);
});

it("ends a stream whose line has no end, and keeps the lines before it", async () => {
  const stream = new PassThrough();
  const lines: string[] = [];
  onLines(stream, (line) => lines.push(line), 10);
  const failed = once(stream, "error");
  stream.write("0123456789\n01234");
  stream.write("567890");
  stream.write("\nlate\n");
  expect((await failed)[0]).toMatchObject({ name: "ReadLimit", message: expect.stringContaining("10 bytes") });
  expect(lines).toEqual(["0123456789"]);
  expect(stream.destroyed).toBe(true);
});

it("gives the same lines however the text comes", () => {
  const texts = fc.array(fc.constantFrom("a", "é", "\n", "\r", "\u2028", "bcd"), { maxLength: 30 });
  fc.assert(
    fc.property(texts, fc.integer({ min: 1, max: 9 }), (text, size) => {
      const [stream, lines, bytes] = [new PassThrough(), [] as string[], Buffer.from(text.join(""))];
      onLines(stream, (line) => lines.push(line));
      for (let at = 0; at < bytes.length; at += size) stream.emit("data", bytes.subarray(at, at + size));
      expect(lines).toEqual(text.join("").split("\n").slice(0, -1));
    }),
  );
});
