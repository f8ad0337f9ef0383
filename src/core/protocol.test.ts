import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { parseReply, ResultReader, showsSteps } from "./protocol.ts";

const resultLine = (nonce: string, reply: string) => `\x1eslipway ${nonce} ${reply}\n`;

function read(chunks: readonly Buffer[], limit = 1000) {
  const other: Buffer[] = [];
  const reader = new ResultReader("n0nce", limit, (data) => {
    expect(data.length).toBeGreaterThan(0);
    other.push(data);
  });
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
    const line = Buffer.from(resultLine("n0nce", "{}"));
    expect(read([Buffer.from(cut), line])).toEqual({ reply: "{}", other: cut });
    expect(read([Buffer.from("\x1e"), Buffer.from("\x1e"), line])).toEqual({ reply: "{}", other: "\x1e\x1e" });
  });

  it("holds back no more than the beginning of a mark", () => {
    const written: string[] = [];
    const reader = new ResultReader("n0nce", 10, (data) => void written.push(data.toString()));
    for (const text of ["abc", "d\x1eslip", "x", "e\x1e"]) reader.write(Buffer.from(text));
    expect(written).toEqual(["abc", "d", "\x1eslipx", "e"]);
  });

  it("waits for room wherever the line ends", async () => {
    for (const text of ["a", `a${resultLine("n0nce", "{}")}`, `${resultLine("n0nce", "{}")}a`]) {
      const room = Promise.resolve();
      expect(new ResultReader("n0nce", 10, () => room).write(Buffer.from(text))).toBe(room);
    }
    const room = Promise.resolve();
    const reader = new ResultReader("n0nce", 10, () => room);
    reader.write(Buffer.from(resultLine("n0nce", "{}")));
    expect(reader.write(Buffer.from("a"))).toBe(room);
  });
});

describe("parseReply", () => {
  const error = { name: "TypeError", message: "odd", details: "TypeError: odd" };
  it.each([{}, { result: null }, { result: [1] }, { logged: 5 }, { error }, { error, result: 1 }])(
    "reads %j",
    (reply) => {
      expect(parseReply(JSON.stringify(reply))).toEqual(reply);
    },
  );

  it.each(["", "{", "5", "null", "[]", '{"logged":"5"}', '{"error":5}', `{"result":${"[".repeat(1000)}`])(
    "%j is the function's failure",
    (text) => {
      const message = expect.stringMatching(/damaged, or nested more than 1000 deep\.\nReturn/);
      expect(parseReply(text)).toEqual({ error: { name: "Failure", message, details: message } });
    },
  );

  it("reads 1000 levels with a reader of its own", () => {
    const text = `{"result":${"[".repeat(999)}${"]".repeat(999)}}`;
    expect(parseReply(text, (text) => ({ result: text.length }))).toEqual({ result: text.length });
    expect(parseReply(`{"result":[${"[".repeat(999)}${"]".repeat(999)}]}`)).toHaveProperty("error");
  });
});

it("steps are shown where the user asks for them", () => {
  expect([{ SLIPWAY_DRY_RUN: "steps" }, { SLIPWAY_DRY_RUN: "1" }, {}].map(showsSteps)).toEqual([true, false, false]);
});
