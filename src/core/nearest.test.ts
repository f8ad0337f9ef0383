import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { nearest } from "./nearest.ts";

const known = ["image", "retries", "runAfter", "memory", "cpu", "environment"];

describe("the nearest name", () => {
  it.each([
    ["imgae", "image"],
    ["images", "image"],
    ["imag", "image"],
    ["xmage", "image"],
    ["iamgez", undefined],
    ["retry", undefined],
    ["retrys", "retries"],
    ["run-after", "runAfter"],
    ["run_after", "runAfter"],
    ["Run After", "runAfter"],
    ["memroy", "memory"],
    ["mmeroy", "memory"],
    ["cpus", "cpu"],
    ["ucp", undefined],
    ["pcu", "cpu"],
    ["c", undefined],
    ["environmnet", "environment"],
    ["envrionmnet", "environment"],
    ["viroment", "environment"],
    ["roment", undefined],
    ["", undefined],
    ["quite another", undefined],
  ])("to %j is %j", (name, expected) => {
    expect(nearest(name, known)).toBe(expected);
  });

  it("is at most so many letters away", () => {
    expect([1, 2].map((most) => nearest("envrionmnet", known, most))).toEqual([undefined, "environment"]);
  });

  it("is the first of several, and of none nothing", () => {
    expect(nearest("cap", ["cat", "car"])).toBe("cat");
    expect(nearest("cart", ["cat", "carp", "cart"])).toBe("cart");
    expect(nearest("cat", [])).toBeUndefined();
    expect(nearest("ab", ["b", "a"])).toBe("b");
  });

  it("is as far away as the least insertions, deletions, changes and swaps of neighbours", () => {
    const distance = (one: string, other: string): number => {
      if (one === "" || other === "") return one.length + other.length;
      const swapped = one.length > 1 && other.length > 1 && one[0] === other[1] && one[1] === other[0];
      return Math.min(
        distance(one.slice(1), other) + 1,
        distance(one, other.slice(1)) + 1,
        distance(one.slice(1), other.slice(1)) + (one[0] === other[0] ? 0 : 1),
        swapped ? distance(one.slice(2), other.slice(2)) + 1 : Number.POSITIVE_INFINITY,
      );
    };
    const word = fc.stringMatching(/^[abc]{1,6}$/);
    fc.assert(
      fc.property(word, word, fc.nat(3), (name, candidate, most) => {
        const isNear = distance(name, candidate) <= Math.min(most, Math.max(1, candidate.length / 3));
        expect(nearest(name, [candidate], most)).toBe(isNear ? candidate : undefined);
      }),
      { numRuns: 300 },
    );
  });

  it("is a name with one letter more, less, changed or swapped", () => {
    const name = fc.stringMatching(/^[a-z]{3,12}$/);
    fc.assert(
      fc.property(name, fc.nat(11), fc.constantFrom("more", "less", "changed", "swapped"), (text, place, kind) => {
        const at = place % (text.length - 1);
        const [before, one, two, after] = [text.slice(0, at), text[at], text[at + 1], text.slice(at + 2)];
        const typo = {
          more: `${before}${one}x${two}${after}`,
          less: `${before}${two}${after}`,
          changed: `${before}x${two}${after}`,
          swapped: `${before}${two}${one}${after}`,
        }[kind];
        expect(nearest(typo, [text])).toBe(text);
        expect(nearest(typo, [text], 0)).toBe(typo === text ? text : undefined);
      }),
    );
  });
});
