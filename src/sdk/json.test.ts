import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { failureWith, userErrorWith } from "../core/testdata/reported.ts";
import { encodeJson, maximumValue } from "./json.ts";
import { decodeJson } from "./values.ts";

/** Objects of users, some of which look like files or like what stands for such objects. */
const lookalikes = fc.letrec((tie) => ({
  value: fc.oneof(
    { depthSize: "small" },
    fc.jsonValue({ maxDepth: 1 }),
    fc.array(tie("value"), { maxLength: 3 }),
    fc.dictionary(fc.constantFrom("$slipway", "value", "digest", "size", "name", "__proto__", "x"), tie("value"), {
      noNullPrototype: true,
    }),
    fc.record({
      $slipway: fc.constantFrom("file", "folder", "json", "object", "other"),
      digest: fc.constant(`sha256:${"0".repeat(64)}`),
      size: fc.nat(),
      name: fc.string(),
    }),
    fc.record({ $slipway: fc.constant("object"), value: tie("value") }),
  ),
})).value;

describe("encodeJson", () => {
  it("writes every JSON value so that it reads back the same, on one line", async () => {
    await fc.assert(
      fc.asyncProperty(fc.oneof(fc.jsonValue(), lookalikes), async (value) => {
        const text = await encodeJson(value, "it");
        expect(text).not.toContain("\n");
        const { value: decoded, files } = await decodeJson(JSON.parse(text));
        expect(decoded).toEqual(JSON.parse(JSON.stringify(value)));
        expect(files).toEqual([]);
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
  ])("refuses what would arrive as something else: %o", async (value, problem) => {
    await expect(encodeJson(value, "result")).rejects.toThrow(userErrorWith("value-invalid", "result"));
    await expect(encodeJson(value, "result")).rejects.toThrow(`The result is not JSON: ${problem}.`);
  });

  it("refuses a value that contains itself, and takes one that appears twice", async () => {
    const loop: Record<string, unknown> = {};
    loop["self"] = loop;
    await expect(encodeJson(loop, "result")).rejects.toThrow(".self contains itself");
    const twice = [1];
    expect(await encodeJson([twice, twice], "it")).toBe("[[1],[1]]");
  });

  it("leaves undefined members out", async () => {
    expect(await encodeJson({ a: 1, b: undefined }, "it")).toBe('{"a":1}');
  });

  it("bounds the size in bytes", async () => {
    const large = "ä".repeat(maximumValue / 2);
    await expect(encodeJson(large, "result")).rejects.toThrow(failureWith("value-invalid", "result"));
  });
});
