import { expect, it } from "vitest";
import { beyondLimits, type ListedRun } from "./manage.ts";

const run = (tag: string, day: number, size: number): ListedRun => ({
  tag,
  size,
  items: 1,
  packs: [],
  scope: { function: "f", version: "1" },
  digest: `sha256:${"0".repeat(64)}`,
  stored: new Date(Date.UTC(2030, 0, day)),
});

it("prunes the oldest runs first, as many as the limits ask", () => {
  const runs = [run("new", 9, 10), run("old", 1, 10), run("middle", 5, 10)];
  const tags = (limits: Parameters<typeof beyondLimits>[1]) => beyondLimits(runs, limits).map(({ tag }) => tag);
  expect(tags({})).toEqual([]);
  expect(tags({ bytes: 30 })).toEqual([]);
  expect(tags({ bytes: 29 })).toEqual(["old"]);
  expect(tags({ bytes: 10 })).toEqual(["old", "middle"]);
  expect(tags({ before: new Date(Date.UTC(2030, 0, 5)) })).toEqual(["old"]);
  expect(tags({ before: new Date(Date.UTC(2030, 0, 2)), bytes: 10 })).toEqual(["old", "middle"]);
});
