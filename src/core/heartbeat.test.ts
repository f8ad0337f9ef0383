import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { heartbeat } from "./heartbeat.ts";

beforeEach(() => vi.useFakeTimers());
afterEach(() => vi.useRealTimers());

describe("a heartbeat", () => {
  it("writes a line at once, then one every five seconds with the time, until it is ended", () => {
    const lines: string[] = [];
    const end = heartbeat("podman is pulling x", { write: (line) => lines.push(line) });
    expect(lines).toEqual(["podman is pulling x"]);
    vi.advanceTimersByTime(10_000);
    expect(lines.slice(1)).toEqual(["podman is pulling x (5 s)", "podman is pulling x (10 s)"]);
    end();
    vi.advanceTimersByTime(60_000);
    expect(lines).toHaveLength(3);
  });

  it("says nothing of what is over soon", () => {
    const lines: string[] = [];
    const end = heartbeat("quick", { after: 3000, write: (line) => lines.push(line) });
    vi.advanceTimersByTime(2999);
    end();
    vi.advanceTimersByTime(60_000);
    expect(lines).toEqual([]);
  });

  it("may be ended by what writes, and says what is so at the time", () => {
    const lines: string[] = [];
    const left = new Set(["a", "b"]);
    const end = heartbeat(() => `asking ${[...left].join(", ")}`, {
      after: 1000,
      write: (line) => {
        if (left.size === 0) end();
        else lines.push(line);
      },
    });
    vi.advanceTimersByTime(1000);
    left.delete("a");
    vi.advanceTimersByTime(5000);
    left.clear();
    vi.advanceTimersByTime(60_000);
    expect(lines).toEqual(["asking a, b (1 s)", "asking b (6 s)"]);
    expect(vi.getTimerCount()).toBe(0);
  });
});
