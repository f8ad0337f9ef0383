import { Readable } from "node:stream";
import { pipeline } from "node:stream/promises";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { DigestMismatch, DigestVerifier, digestOf, isDigest, sha256, splitDigest } from "./digest.ts";

const empty = "sha256:e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";

describe("digest", () => {
  it("is the one that everyone else computes", () => {
    expect(sha256("")).toBe(empty);
    expect(splitDigest(sha256(""))).toEqual({ algorithm: "sha256", hex: empty.slice(7) });
  });

  it("is recognised when it is one, of both algorithms", () => {
    fc.assert(
      fc.property(fc.uint8Array(), fc.constantFrom("sha256" as const, "sha512" as const), (bytes, algorithm) => {
        expect(isDigest(digestOf(algorithm, bytes))).toBe(true);
      }),
    );
  });

  it.each([
    "",
    "sha256",
    "sha256:",
    `${empty}0`,
    ` ${empty}`,
    [empty],
    undefined,
    empty.slice(0, -1),
    empty.toUpperCase(),
    `md5:${"0".repeat(32)}`,
    `toString:${"0".repeat(64)}`,
  ])("is not %j", (text: unknown) => expect(isDigest(text)).toBe(false));
});

describe("DigestVerifier", () => {
  const read = async (verifier: DigestVerifier, chunks: string[]): Promise<string> => {
    let text = "";
    await pipeline(Readable.from(chunks.map((chunk) => Buffer.from(chunk))), verifier, async (source) => {
      for await (const chunk of source) text += String(chunk);
    });
    return text;
  };

  it("passes content on", async () => {
    expect(await read(new DigestVerifier(sha256("abcdef"), 6), ["abc", "def"])).toBe("abcdef");
  });

  it("fails on other content, on more and on less", async () => {
    await expect(read(new DigestVerifier(sha256("abcdef")), ["abc", "dex"])).rejects.toEqual(
      new DigestMismatch(sha256("abcdef"), sha256("abcdex")),
    );
    expect(new DigestMismatch(sha256("a"), sha256("b"))).toMatchObject({
      name: "DigestMismatch",
      message: `content has digest ${sha256("b")}, not ${sha256("a")}`,
    });
    await expect(read(new DigestVerifier(sha256("abcdef"), 6), ["abc", "defg"])).rejects.toThrow(/longer than its 6/);
    await expect(read(new DigestVerifier(sha256("abcdef"), 6), ["abc"])).rejects.toThrow(/after 3 of its 6/);
  });
});
