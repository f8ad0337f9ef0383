import { setTimeout as sleep } from "node:timers/promises";
import { beforeEach, expect, it, vi } from "vitest";
import { Backoff } from "./back-off.ts";

vi.mock("node:timers/promises", { spy: true });
const random = vi.spyOn(Math, "random");
const waits = () => vi.mocked(sleep).mock.calls.map(([delay]) => delay);

beforeEach(() => {
  vi.mocked(sleep).mockReset().mockResolvedValue(undefined);
  random.mockReturnValue(1);
});

it("waits so often, longer each time, and counts anew once something was achieved", async () => {
  const backoff = new Backoff({ attempts: 5, firstDelay: 10, maximumDelay: 45 });
  const results: boolean[] = [];
  for (let attempt = 0; attempt < 5; attempt++) results.push(await backoff.wait());
  expect([results, waits()]).toEqual([
    [true, true, true, true, false],
    [10, 20, 40, 45],
  ]);
  expect(backoff.attempts).toBe(5);
  backoff.reset();
  expect([backoff.attempts, await backoff.wait(), waits().at(-1)]).toEqual([1, true, 10]);
});

it("waits for a random time from half the limit on, which grows by a factor, and never less than a server asks", async () => {
  const backoff = new Backoff({ attempts: 9, firstDelay: 10, factor: 3 });
  random.mockReturnValue(0);
  await backoff.wait();
  random.mockReturnValue(0.5);
  await backoff.wait();
  await backoff.wait({ retryAfter: 1000 });
  await backoff.wait({ retryAfter: 1 });
  expect(waits()).toEqual([5, 22.5, 1000, 202.5]);
});

it("adds up what it waited, and refuses at once to wait longer than its budget", async () => {
  const backoff = new Backoff({ attempts: 9, firstDelay: 1, budget: 24 });
  expect(await backoff.wait({ retryAfter: 12 })).toBe(true);
  expect(await backoff.wait({ retryAfter: 13 })).toBe(false);
  expect(await backoff.wait({ retryAfter: 12 })).toBe(true);
  expect(await backoff.wait()).toBe(false);
  expect(await backoff.wait({ budget: 28 })).toBe(true);
  expect(waits()).toEqual([12, 12, 4]);
  backoff.reset();
  expect(await backoff.wait({ retryAfter: 24 })).toBe(true);
});

it("ends a wait that is not wanted any more", async () => {
  const stop = new AbortController();
  vi.mocked(sleep).mockImplementation(async (_, __, options) => {
    expect(options?.signal).toBe(stop.signal);
    stop.abort(new Error("stopped"));
    throw new Error("aborted");
  });
  const backoff = new Backoff({ attempts: 3, firstDelay: 1 });
  await expect(backoff.wait({ signal: stop.signal })).rejects.toThrow("stopped");
});
