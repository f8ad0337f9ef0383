import { describe, expect, it } from "vitest";
import { IdleWatch, idleLimit } from "./idle.ts";

describe("IdleWatch", () => {
  const watch = () => {
    const clock = { now: 1_000_000, latestExpiry: 0 };
    const idle = new IdleWatch({ now: () => clock.now, latestExpiry: () => clock.latestExpiry });
    return { clock, idle };
  };

  it("lets the server stop when nothing came for a while", () => {
    const { clock, idle } = watch();
    clock.now += idleLimit - 1;
    expect(idle.mayStop()).toBe(false);
    clock.now += 1;
    expect(idle.mayStop()).toBe(true);
  });

  it("counts from the end of the last request, however long that took", () => {
    const { clock, idle } = watch();
    idle.started();
    clock.now += 10 * idleLimit;
    expect(idle.mayStop()).toBe(false);
    idle.ended();
    expect(idle.mayStop()).toBe(false);
    clock.now += idleLimit;
    expect(idle.mayStop()).toBe(true);
  });

  it("waits for the last token to expire", () => {
    const { clock, idle } = watch();
    clock.latestExpiry = clock.now + 2 * idleLimit;
    clock.now += 2 * idleLimit - 1;
    expect(idle.mayStop()).toBe(false);
    clock.now += 1;
    expect(idle.mayStop()).toBe(true);
  });
});
