import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { failureWith, userErrorWith } from "../core/testdata/reported.ts";
import { NumberArray } from "./number-array.ts";
import { ownPlace } from "./own-place.ts";
import { decodeValue, encodeValue } from "./values.ts";

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
      $slipway: fc.constantFrom("file", "folder", "value", "bytes", "date", "object", "other"),
      digest: fc.constant(`sha256:${"0".repeat(64)}`),
      size: fc.nat(),
      name: fc.string(),
    }),
    fc.record({ $slipway: fc.constant("object"), value: tie("value") }),
  ),
})).value;

const special = fc.oneof(
  fc.double(),
  fc.bigInt(),
  fc.date({ noInvalidDate: true }),
  fc.uint8Array(),
  fc.float64Array(),
  fc.float32Array(),
  fc.int32Array(),
  fc.bigInt64Array(),
  fc.uint16Array(),
);

/** A value as it arrives. */
async function sent(value: unknown): Promise<unknown> {
  return decodeValue((await encodeValue(value, "it")).map((body) => Buffer.from(body)));
}

describe("a value", () => {
  it("arrives as it was, whatever JSON it is", async () => {
    await fc.assert(
      fc.asyncProperty(fc.oneof(fc.jsonValue(), lookalikes), async (value) => {
        const [text = new Uint8Array()] = await encodeValue(value, "it");
        expect(Buffer.from(text).includes("\n")).toBe(false);
        // Negative zeros are more than JSON has.
        if (!JSON.stringify(value).includes("0") || !hasNegativeZero(value))
          expect(await sent(value)).toEqual(JSON.parse(JSON.stringify(value)));
      }),
    );
  });

  it("arrives as it was, with numbers, dates and bytes that JSON does not have", async () => {
    const value = fc.oneof(special, fc.array(special), fc.dictionary(fc.string(), special, { noNullPrototype: true }));
    await fc.assert(
      fc.asyncProperty(value, async (each) => {
        expect(await sent(each)).toEqual(each);
      }),
    );
    expect(Object.is(await sent(-0), -0)).toBe(true);
    const matrix = new NumberArray([2, 3], new Float32Array([1, 2, 3, 4, 5, 6]));
    expect(await sent({ matrix })).toEqual({ matrix });
    expect(() => new NumberArray([2, 3], new Float32Array(5))).toThrow(RangeError);
  });

  it.each([
    [{ rows: [{ date: /a/ }] }, ".rows[0].date is a RegExp"],
    [[1, undefined], "[1] is undefined"],
    [{ f: () => 1 }, ".f is a function"],
    [new Map(), "it is a Map"],
    [[new Date(Number.NaN)], "[0] is a Date of no time"],
  ])("is refused with its path if it would arrive as something else: %o", (value, problem) => {
    expect(() => encodeValue(value, "result")).toThrow(userErrorWith("value-invalid", "result"));
    expect(() => encodeValue(value, "result")).toThrow(`The result cannot be handed on: ${problem}.`);
  });

  it("may not contain itself, and may appear twice", async () => {
    const loop: Record<string, unknown> = {};
    loop["self"] = loop;
    expect(() => encodeValue(loop, "result")).toThrow(".self contains itself");
    const twice = [1];
    expect(await sent([twice, twice])).toEqual([[1], [1]]);
  });

  it("leaves undefined members out", async () => {
    expect(await sent({ a: 1, b: undefined })).toEqual({ a: 1 });
  });

  it("has a largest size in bytes", async () => {
    const large = "\u00e4".repeat(128 * 1024 * 1024);
    await expect(async () => encodeValue(large, "result")).rejects.toThrow(failureWith("value-invalid", "result"));
  });

  it.each([
    "{",
    '{"$slipway":"bytes","at":1}',
    '{"$slipway":"bytes","at":0}',
    '{"$slipway":"integer","value":"1e9"}',
    '{"$slipway":"number","value":"7"}',
    '{"$slipway":"date","value":"yesterday"}',
    '{"$slipway":"file","digest":"sha256:0","name":"a","size":1}',
    '{"$slipway":"object","value":[]}',
    '{"$slipway":"program"}',
  ])("is refused if no version of Slipway wrote it: %s", (text) => {
    expect(() => decodeValue([Buffer.from(text)])).toThrow(failureWith("function-failed", "value"));
  });

  it("is refused if it is nested too deep", () => {
    const text = `${"[".repeat(1001)}${"]".repeat(1001)}`;
    expect(() => decodeValue([Buffer.from(text)])).toThrow(failureWith("function-failed", "value"));
  });

  it.each(["garbage", "[", "[".repeat(100_000), "", '{"$slipway":"value"}'])(
    "that is stored, and whose content is %#, fails its own call",
    async (json) => {
      const text = `[${Buffer.byteLength(json)}]\n${json}`;
      const content = await ownPlace().putPieces([Buffer.from(text)]);
      const form = Buffer.from(JSON.stringify({ $slipway: "value", ...content }));
      await expect((async () => decodeValue([form]))()).rejects.toThrow(failureWith("function-failed", "value"));
    },
  );

  it("is refused if its bytes are not those of its array", () => {
    const array = (shape: unknown, type = "float64") =>
      Buffer.from(JSON.stringify({ $slipway: "array", type, shape, at: 1 }));
    for (const json of [
      array([2]),
      array([-1]),
      array([1e9]),
      array("1"),
      array([1], "float16"),
      array([1], "toString"),
    ])
      expect(() => decodeValue([json, Buffer.alloc(8 + 1)])).toThrow(failureWith("function-failed", "value"));
  });
});

function hasNegativeZero(value: unknown): boolean {
  if (typeof value !== "object" || value === null) return Object.is(value, -0);
  return Object.values(value).some(hasNegativeZero);
}
