import { expect, it, onTestFinished, vi } from "vitest";
import { MapProgress } from "./map-progress.ts";

function progressOf(columns: number | null, count: number | null = 3) {
  vi.useFakeTimers();
  onTestFinished(() => void vi.useRealTimers());
  let text = "";
  const progress = new MapProgress("square", count, columns, (data) => {
    text += data;
  });
  const taken = () => {
    const before = text;
    text = "";
    return before;
  };
  return { progress, taken };
}

it("tells on one line of a terminal how far it is, and clears it for what functions print", () => {
  const { progress, taken } = progressOf(40);
  expect(taken()).toBe("slipway: square: 0 of 3");
  progress.settled(true);
  progress.print(Buffer.from("printed\n"));
  expect(taken()).toBe("\r\x1b[Kprinted\nslipway: square: 1 of 3");
  progress.settled(false);
  vi.advanceTimersByTime(100);
  expect(taken()).toBe("\r\x1b[Kslipway: square: 2 of 3, 1 failed");
  progress.finish();
  expect(taken()).toBe("\r\x1b[K");
  vi.advanceTimersByTime(60_000);
  expect(taken()).toBe("");
  expect(progressOf(20, null).taken()).toBe("slipway: square: 0 ");
});

it("tells every 10 s how far it is where there is no terminal", () => {
  const { progress, taken } = progressOf(null);
  progress.settled(true);
  progress.print(Buffer.from("printed\n"));
  vi.advanceTimersByTime(9_999);
  expect(taken()).toBe("printed\n");
  vi.advanceTimersByTime(1);
  progress.settled(false);
  vi.advanceTimersByTime(10_000);
  expect(taken()).toBe("slipway: square: 1 of 3\nslipway: square: 2 of 3, 1 failed\n");
  progress.finish();
  vi.advanceTimersByTime(60_000);
  expect(taken()).toBe("");
});
