import { expect, it, onTestFinished, vi } from "vitest";
import { timeLimitSignal } from "./time-limit.ts";

const day = 24 * 60 * 60;

it.each([30, 60])("aborts after %d days, and not before", async (days) => {
  vi.useFakeTimers();
  onTestFinished(() => void vi.useRealTimers());
  const signal = timeLimitSignal(days * day);
  await vi.advanceTimersByTimeAsync((days - 1) * day * 1000);
  expect(signal.aborted).toBe(false);
  await vi.advanceTimersByTimeAsync(day * 1000);
  expect(signal.reason).toMatchObject({ name: "TimeoutError" });
});

it("aborts after exactly as many milliseconds as were asked for", async () => {
  vi.useFakeTimers();
  onTestFinished(() => void vi.useRealTimers());
  const longest = 2 ** 31 - 1;
  for (const time of [longest + 1, 2 * longest, 2 * longest + 1]) {
    const signal = timeLimitSignal(time / 1000);
    await vi.advanceTimersByTimeAsync(time - 1);
    expect(signal.aborted).toBe(false);
    await vi.advanceTimersByTimeAsync(1);
    expect(signal.aborted).toBe(true);
  }
});

it("aborts after less than a second", async () => {
  const signal = timeLimitSignal(0.01);
  await new Promise((resolve) => signal.addEventListener("abort", resolve));
  expect(signal.reason).toMatchObject({ name: "TimeoutError" });
});
