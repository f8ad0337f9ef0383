import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { reported } from "../core/testdata/reported.ts";
import { maximumJsonBytes } from "../engine/calls/calls.ts";
import { encodeJson } from "./json.ts";

describe("encodeJson", () => {
  it("writes every JSON value so that it reads back the same, on one line", () => {
    fc.assert(
      fc.property(fc.jsonValue(), (value) => {
        const text = encodeJson(value, "it");
        expect(text).not.toContain("\n");
        expect(JSON.parse(text)).toEqual(JSON.parse(JSON.stringify(value)));
      }),
    );
  });

  it.each([
    [{ rows: [{ date: new Date(0) }] }, ".rows[0].date is a Date"],
    [Number.NaN, "it is NaN"],
    [[1, undefined], "[1] is undefined"],
    [{ f: () => 1 }, ".f is a function"],
    [new Map(), "it is a Map"],
    [{ big: 1n }, ".big is a bigint"],
  ])("refuses what would arrive as something else: %o", (value, problem) => {
    expect(() => encodeJson(value, "result")).toThrow(reported("value-invalid", "result"));
    expect(() => encodeJson(value, "result")).toThrow(`The result is not JSON: ${problem}.`);
  });

  it("refuses a value that contains itself, and takes one that appears twice", () => {
    const loop: Record<string, unknown> = {};
    loop["self"] = loop;
    expect(() => encodeJson(loop, "result")).toThrow(".self contains itself");
    const twice = [1];
    expect(encodeJson([twice, twice], "it")).toBe("[[1],[1]]");
  });

  it("leaves undefined members out", () => {
    expect(encodeJson({ a: 1, b: undefined }, "it")).toBe('{"a":1}');
  });

  it("bounds the size in bytes", () => {
    expect(encodeJson("a".repeat(maximumJsonBytes - 2), "it")).toHaveLength(maximumJsonBytes);
    const large = "ä".repeat(maximumJsonBytes / 2);
    expect(() => encodeJson(large, "result")).toThrow(reported("value-invalid", "result"));
    expect(() => encodeJson(large, "result")).toThrow(`${maximumJsonBytes + 2} bytes`);
  });
});
