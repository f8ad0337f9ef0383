import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { heartbeat, type Wait } from "./heartbeat.ts";

beforeEach(() => vi.useFakeTimers());
afterEach(() => vi.useRealTimers());

describe("a heartbeat", () => {
  it("writes a line at once, then one every four seconds with the time, until it is ended", () => {
    const lines: string[] = [];
    const end = heartbeat("podman is pulling x", { write: (line) => lines.push(line) });
    expect(lines).toEqual(["podman is pulling x"]);
    vi.advanceTimersByTime(8000);
    expect(lines.slice(1)).toEqual(["podman is pulling x (4 s)", "podman is pulling x (8 s)"]);
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
    vi.advanceTimersByTime(4000);
    left.clear();
    vi.advanceTimersByTime(60_000);
    expect(lines).toEqual(["asking a, b (1 s)", "asking b (5 s)"]);
    expect(vi.getTimerCount()).toBe(0);
  });

  it("has the time of what is waited for, and is silent while nothing is", () => {
    const lines: { readonly line: string; readonly at: number }[] = [];
    const start = Date.now();
    let wait: Wait | undefined = { words: "waiting for a node", since: start - 60_000 };
    const write = (line: string) => lines.push({ line, at: Date.now() - start });
    const end = heartbeat(() => wait, { after: 3000, write });
    vi.advanceTimersByTime(3000);
    wait = undefined;
    vi.advanceTimersByTime(60_000);
    // One that has only just begun is mostly over soon.
    wait = { words: "waiting for a pod", since: Date.now() + 3900 };
    vi.advanceTimersByTime(4000);
    expect(lines.map(({ line }) => line)).toEqual(["waiting for a node (63 s)"]);
    vi.advanceTimersByTime(600_000);
    end();
    expect(lines[1]?.line).toBe("waiting for a pod (2 s)");
    // The time before the second line was no wait.
    const silences = lines.slice(2).map(({ at }, index) => at - (lines[index + 1]?.at ?? 0));
    expect(silences).toHaveLength(149);
    expect(Math.max(...silences)).toBeLessThan(5000);
  });

  it("tells soon of what follows something that was no wait, and at once of another wait", () => {
    const times: number[] = [];
    const start = Date.now();
    const runs = (from: number, to: number) => Date.now() - start > from && Date.now() - start < to;
    const what = () => {
      // An attempt runs when the line is due.
      if (runs(6500, 7800)) return undefined;
      return { words: "waiting", since: Date.now() - start <= 10_000 ? start + 7800 : Date.now() };
    };
    const end = heartbeat(what, { after: 3000, write: () => times.push(Date.now() - start) });
    vi.advanceTimersByTime(20_000);
    end();
    expect(times).toEqual([3000, 10_000, 14_000, 18_000]);
  });
});
