import { availableParallelism } from "node:os";
import { describe, expect, it } from "vitest";
import { pool, roomHere } from "./pool.ts";

describe("pool", () => {
  it("does all work in order, so many at once", async () => {
    const begun: number[] = [];
    let atOnce = 0;
    let most = 0;
    const work = async (index: number) => {
      begun.push(index);
      atOnce += 1;
      most = Math.max(most, atOnce);
      await new Promise((resolve) => setImmediate(resolve));
      atOnce -= 1;
    };
    await pool(20, 3, work, new AbortController().signal);
    expect(begun).toEqual(Array.from({ length: 20 }, (_, index) => index));
    expect(most).toBe(3);
  });

  it("begins nothing after an error, and waits for what is under way", async () => {
    const ended: number[] = [];
    const work = async (index: number) => {
      await new Promise((resolve) => setImmediate(resolve));
      if (index === 1) throw new Error("one");
      ended.push(index);
    };
    await expect(pool(9, 3, work, new AbortController().signal)).rejects.toThrow("one");
    expect(ended).toContain(0);
    expect(ended.length).toBeLessThan(5);
  });

  it("begins nothing once it is aborted", async () => {
    const begun: number[] = [];
    const work = async (index: number) => void begun.push(index);
    await pool(9, 3, work, AbortSignal.abort());
    expect(begun).toEqual([]);
  });
});

it("roomHere is bound by processors and by memory, and never nothing", () => {
  expect(roomHere({ memory: 1 })).toBe(availableParallelism());
  expect(roomHere({ cpu: 1000 })).toBe(1);
  expect(roomHere({ memory: Number.MAX_SAFE_INTEGER })).toBe(1);
});
