import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { failureWith } from "../core/testdata/reported.ts";
import { compareVersions, satisfies } from "./version.ts";

/** From the Policy Manual and deb-version(7), in ascending order. */
const ascending = [
  "1.0~~",
  "1.0~~a",
  "1.0~",
  "1.0~rc1-1",
  "1.0",
  "1.0-1~deb12u1",
  "1.0-1",
  "1.0-1+b1",
  "1.0-1.1",
  "1.0a",
  "1.0+dfsg",
  "1.0.1",
  "1.2",
  "1.10",
  "1.10-10",
  "2.36-9+deb12u9",
  "2.36-9+deb12u14",
  "99999999999999999999999999999",
  "1:0.1",
  "2:0",
];

describe("compareVersions", () => {
  it("orders the examples of the policy manual", () => {
    const shuffled = ascending.toReversed();
    expect(shuffled.sort(compareVersions)).toEqual(ascending);
  });

  it("takes leading zeros, a missing epoch and a missing revision for what they mean", () => {
    expect(compareVersions("1.001", "1.1")).toBe(0);
    expect(compareVersions("0:1.1", "1.1")).toBe(0);
    expect(compareVersions("1.1-0", "1.1")).toBe(0);
  });

  const part = fc.stringMatching(/^[A-Za-z0-9.+~]{0,6}$/);
  const version = fc
    .tuple(
      fc.option(fc.nat(3)),
      fc.stringMatching(/^[0-9]$/),
      part,
      fc.option(fc.stringMatching(/^[A-Za-z0-9.+~]{1,5}$/)),
    )
    .map(([epoch, first, rest, revision]) =>
      [epoch === null ? "" : `${epoch}:`, first, rest, revision === null ? "" : `-${revision}`].join(""),
    );

  it("is a total order", () => {
    fc.assert(
      fc.property(version, version, version, (a, b, c) => {
        expect(compareVersions(a, a)).toBe(0);
        expect(compareVersions(a, b)).toBe(-compareVersions(b, a) || 0);
        const [low, middle, high] = [a, b, c].sort(compareVersions) as [string, string, string];
        expect(compareVersions(low, middle)).toBeLessThanOrEqual(0);
        expect(compareVersions(middle, high)).toBeLessThanOrEqual(0);
        expect(compareVersions(low, high)).toBeLessThanOrEqual(0);
      }),
    );
  });

  it("puts a tilde before everything and an addition after", () => {
    fc.assert(
      fc.property(version, (a) => {
        expect(compareVersions(`${a}~`, a)).toBe(-1);
        expect(compareVersions(`${a}+1`, a)).toBe(1);
      }),
    );
  });

  it.each(["", "a:1", "1 2", "-1"])("refuses %j", (text) => {
    expect(() => compareVersions(text, "1")).toThrow(failureWith("file-invalid", text));
  });
});

describe("satisfies", () => {
  it.each([
    ["1.0", "<<", "1.1", true],
    ["1.1", "<<", "1.1", false],
    ["1.1", "<=", "1.1", true],
    ["1.1", "=", "1.1", true],
    ["1.2", "=", "1.1", false],
    ["1.1", ">=", "1.1", true],
    ["1.0", ">=", "1.1", false],
    ["1.2", ">>", "1.1", true],
    ["1.1", ">>", "1.1", false],
  ] as const)("%s %s %s: %s", (version, operator, constraint, expected) => {
    expect(satisfies(version, operator, constraint)).toBe(expected);
  });
});
