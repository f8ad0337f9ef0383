import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { sha256 } from "../oci/digest.ts";
import { digestFunctions, missingRequest, missingResponse, readRequest, readResponse } from "./messages.ts";

describe("messages", () => {
  it("are those of Protocol Buffers", () => {
    // By protoc --encode.
    expect(readRequest("a/b", 300).toString("hex")).toBe("0a03612f6210ac02");
    expect(readRequest("a", 0).toString("hex")).toBe("0a0161");
    const blob = { digest: sha256("x"), size: 3_000_000_000 };
    const hex = Buffer.from(blob.digest.slice(7)).toString("hex");
    expect(missingRequest("i", [blob]).toString("hex")).toBe(`0a01691248${`0a40${hex}`}1080bcc1960b`);
    expect(readResponse(Buffer.from("5203414243", "hex"))).toEqual(Buffer.from("ABC"));
    expect(digestFunctions(Buffer.from("0a0408010802", "hex"))).toEqual([1, 2]);
    expect(digestFunctions(Buffer.from("0a040a020109", "hex"))).toEqual([1, 9]);
    expect(missingResponse(Buffer.from(`1244${`0a40${hex}`}1001`, "hex"))).toEqual(new Set([blob.digest]));
  });

  it("that are cut short or nonsense are refused, or read without a fault", () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 60 }), (bytes) => {
        for (const read of [readResponse, missingResponse, digestFunctions]) {
          try {
            read(bytes);
          } catch (error) {
            expect(error).toBeInstanceOf(RangeError);
          }
        }
      }),
    );
    expect(() => readResponse(Buffer.from("52044142", "hex"))).toThrow(RangeError);
  });
});
