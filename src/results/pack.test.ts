import { createHash } from "node:crypto";
import fc from "fast-check";
import { expect, it } from "vitest";
import { encodePack, parsePack } from "./pack.ts";

const scope = { function: "square", version: "1" };
const key = "ab".repeat(32);

it("gives back every result as the text that it was", () => {
  const result = fc.oneof(
    fc.json(),
    fc.constant(""),
    fc.constantFrom("9007199254740993", "1.0", '"\u2028"', '"\ufeff"'),
  );
  const entry = fc.record({
    key: fc.string().map((text) => createHash("sha256").update(text).digest("hex")),
    result,
  });
  fc.assert(
    fc.property(fc.array(entry), fc.string(), (results, version) => {
      const own = { ...scope, version };
      expect(parsePack(encodePack(own, results), own)).toEqual(results);
    }),
  );
});

it("takes nothing from a pack that is damaged, or of another function", () => {
  const bytes = encodePack(scope, [{ key, result: "[1]" }]);
  expect(parsePack(bytes, scope)).toEqual([{ key, result: "[1]" }]);
  expect(parsePack(bytes.subarray(0, -1), scope)).toMatch("middle of a line");
  expect(parsePack(bytes, { ...scope, version: "2" })).toMatch("another function");
  expect(parsePack(Buffer.from([0xff]), scope)).toMatch("UTF-8");
  expect(parsePack(Buffer.from("null\n"), scope)).toMatch("schema");
  expect(parsePack(Buffer.from(""), scope)).toMatch("middle of a line");
  const [header] = bytes.toString().split("\n");
  expect(parsePack(Buffer.from(`${header}\nx [1]\n`), scope)).toMatch("without a key");
  expect(parsePack(Buffer.from(`${header}\n${key} [1\n`), scope)).toMatch("not JSON");
});
