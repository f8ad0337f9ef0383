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

it("aborts after less than a second", async () => {
  const signal = timeLimitSignal(0.01);
  await new Promise((resolve) => signal.addEventListener("abort", resolve));
  expect(signal.reason).toMatchObject({ name: "TimeoutError" });
});
