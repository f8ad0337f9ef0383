import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { parseExactly } from "./exact-json.ts";
import { isDeeper } from "./json-depth.ts";

describe("parseExactly", () => {
  it.each(["9007199254740993", "-0", "1.0", "1.50", "1e9", "1E9", "12345678901234567890", "1e400", "0.1", "5"])(
    "hands on the number %s as it is written",
    (number) => {
      const text = `{"a":[${number},"${number}"]}`;
      expect(JSON.stringify(parseExactly(text))).toBe(text);
    },
  );

  it("gives numbers that JavaScript has, beside others too", () => {
    expect(parseExactly('{"a":5,"b":1.5,"c":-3}')).toEqual({ a: 5, b: 1.5, c: -3 });
    expect(parseExactly<{ a: number }>('{"a":5,"b":1e9}').a).toBe(5);
  });

  it("is JSON.parse for what JavaScript wrote", () => {
    fc.assert(
      fc.property(fc.jsonValue({ noUnicodeString: false }), (value) => {
        const text = JSON.stringify(value);
        expect(JSON.stringify(parseExactly(text))).toBe(text);
      }),
    );
  });
});

describe("isDeeper", () => {
  it.each([
    ["[[1],[2]]", 2],
    ['{"a":{"b":[]}}', 3],
    ['["[[[["]', 1],
    ['["\\"[[[","\\\\",[]]', 2],
    ["[{},{},[]]", 2],
    ["5", 0],
    ["[]{}[]", 1],
    ["\\[[", 2],
  ])("%s has a depth of %i", (text, depth) => {
    expect([isDeeper(text, depth - 1), isDeeper(text, depth)]).toEqual([true, false]);
  });

  it.each([
    ["5", 1],
    ["[]", 2],
    ["[1,2]", 3],
    ['{"a":[",[{"],"b":{}}', 5],
  ])("%s has %i values or fewer", (text, most) => {
    expect([most - 1, most].map((count) => isDeeper(text, 9, count))).toEqual([true, false]);
  });

  it("knows the depth of any JSON", () => {
    const depthOf = (value: unknown): number =>
      typeof value === "object" && value !== null ? 1 + Math.max(0, ...Object.values(value).map(depthOf)) : 0;
    fc.assert(
      fc.property(fc.jsonValue(), (value) => {
        const depth = depthOf(value);
        expect(isDeeper(JSON.stringify(value), depth)).toBe(false);
        expect(isDeeper(JSON.stringify(value), depth - 1)).toBe(true);
      }),
    );
  });
});
