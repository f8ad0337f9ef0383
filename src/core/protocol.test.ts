import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { ResultReader, resultLine } from "./protocol.ts";

function read(chunks: readonly Buffer[], limit = 1000) {
  const other: Buffer[] = [];
  const reader = new ResultReader("n0nce", limit, (data) => void other.push(data));
  for (const chunk of chunks) reader.write(chunk);
  return { reply: reader.end(), other: Buffer.concat(other).toString() };
}

describe("ResultReader", () => {
  it("finds the line however the output is cut, and passes on all else", () => {
    fc.assert(
      fc.property(
        fc.string(),
        fc.string(),
        fc.jsonValue(),
        fc.integer({ min: 1, max: 7 }),
        (before, after, value, size) => {
          const reply = JSON.stringify({ result: value });
          const output = Buffer.from(before + resultLine("n0nce", reply) + after);
          const chunks = Array.from({ length: Math.ceil(output.length / size) }, (_, index) =>
            output.subarray(index * size, (index + 1) * size),
          );
          expect(read(chunks, 1_000_000)).toEqual({ reply, other: Buffer.from(before + after).toString() });
        },
      ),
    );
  });

  it("takes no line with another nonce", () => {
    const line = resultLine("other", "{}");
    expect(read([Buffer.from(line)])).toEqual({ reply: undefined, other: line });
  });

  it("keeps no reply that is too long", () => {
    expect(read([Buffer.from(resultLine("n0nce", "1".repeat(1001)))]).reply).toBeUndefined();
    expect(read([Buffer.from(resultLine("n0nce", "1".repeat(1000)))]).reply).toHaveLength(1000);
  });

  it("passes on the beginning of a mark that never ends", () => {
    const cut = resultLine("n0nce", "{}").slice(0, 6);
    expect(read([Buffer.from(cut)]).other).toBe(cut);
  });
});
