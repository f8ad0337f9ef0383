import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { longestTokenLifetime, Tokens, tokenOf } from "./tokens.ts";

describe("Tokens", () => {
  it("lets a token do what it is for, until its time is over", () => {
    let now = 1_000_000;
    const tokens = new Tokens(() => now);
    const { token, expiresAt } = tokens.issue("a/b", ["pull"], 60);
    expect(expiresAt).toBe(new Date(1_060_000).toISOString());
    expect(tokens.check(token, "a/b", "pull")).toBe("allowed");
    expect(tokens.check(token, undefined, "pull")).toBe("allowed");
    expect(tokens.check(token, "a/b", "push")).toBe("denied");
    expect(tokens.check(token, "a", "pull")).toBe("denied");
    expect(tokens.check(token, "a/b/c", "pull")).toBe("denied");
    now += 60_000;
    expect(tokens.check(token, "a/b", "pull")).toBe("expired");
    expect(tokens.check(token, undefined, "pull")).toBe("expired");
  });

  it("lets who may push pull", () => {
    const tokens = new Tokens();
    expect(tokens.check(tokens.issue("a", ["push"]).token, "a", "pull")).toBe("allowed");
  });

  it("does not know tokens of another process", () => {
    expect(new Tokens().check(new Tokens().issue("a", ["pull"]).token, "a", "pull")).toBe("invalid");
  });

  it("does not believe claims that were changed, nor any other text", () => {
    const tokens = new Tokens();
    const [payload = "", signature = ""] = tokens.issue("a", ["pull"]).token.split(".");
    const forged = Buffer.from(Buffer.from(payload, "base64url").toString().replace("pull", "push")).toString(
      "base64url",
    );
    expect(tokens.check(`${forged}.${signature}`, "a", "push")).toBe("invalid");
    fc.assert(fc.property(fc.string(), (text) => tokens.check(text, "a", "pull") === "invalid"));
  });

  it("has a longest time, and knows until when some token is valid", () => {
    const tokens = new Tokens(() => 0);
    tokens.issue("a", ["pull"], 10 * longestTokenLifetime);
    tokens.issue("a", ["pull"], 1);
    expect(tokens.latestExpiry).toBe(longestTokenLifetime * 1000);
  });
});

describe("tokenOf", () => {
  const basic = (text: string): string => `Basic ${Buffer.from(text).toString("base64")}`;

  it.each([
    ["Bearer abc", "abc"],
    ["bearer abc", "abc"],
    [basic("token:abc"), "abc"],
    [basic("someone:abc"), undefined],
    ["Basic %%%", undefined],
    ["Digest x", undefined],
    ["", undefined],
    [undefined, undefined],
  ])("reads %j", (header, token) => {
    expect(tokenOf(header)).toBe(token);
  });
});
