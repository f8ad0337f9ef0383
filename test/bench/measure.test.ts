import { describe, expect, it } from "vitest";
import { interleave, median, resultOf, run } from "./measure.ts";

describe("interleave", () => {
  it("takes turns, begins with another each round, and does not count the first round", async () => {
    const order: string[] = [];
    const note = (name: string) => ({ run: () => void order.push(name) });
    const samples = await interleave({ a: note("a"), b: note("b"), c: note("c") }, 2);
    expect(order.join("")).toBe("abcbcacab");
    expect(Object.values(samples).map((each) => each.length)).toEqual([2, 2, 2]);
  });

  it("does not time what prepares", async () => {
    const prepared: number[] = [];
    const prepare = (round: number) => {
      prepared.push(round);
      waste(30);
    };
    const slow = { prepare, run: () => {} };
    const { slow: samples = [] } = await interleave({ slow }, 3);
    expect(prepared).toEqual([0, 1, 2, 3]);
    expect(median(samples)).toBeLessThan(0.03);
  });
});

describe("median", () => {
  it("is the middle, or between the two in the middle", () => {
    expect(median([5, 1, 3])).toBe(3);
    expect(median([4, 1, 3, 2])).toBe(2.5);
    expect(() => median([])).toThrow("nothing was measured");
  });
});

describe("resultOf", () => {
  it("compares medians and names peers", () => {
    const result = resultOf(
      "x",
      { ours: [2, 2, 9], floor: [1, 1, 1], crane: [3] },
      "at most 1.5",
      (a, b) => a <= 1.5 * b,
    );
    expect(result).toMatchObject({ median_s: 2, floor_s: 1, ratio: 2, reached: false, peers: { crane: 3 } });
    expect(result.samples["ours"]).toEqual([2, 2, 9]);
  });
});

describe("run", () => {
  it("gives what a command prints, and fails with what it says", () => {
    expect(run(["printf", "yes"])).toBe("yes");
    expect(() => run(["sh", "-c", "echo no >&2; exit 3"])).toThrow(/status 3:\nno/);
  });
});

function waste(milliseconds: number): void {
  const end = performance.now() + milliseconds;
  while (performance.now() < end);
}
