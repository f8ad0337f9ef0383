import { expect, it } from "vitest";
import { allFields, differencesOf } from "./difference.ts";

const before = { b: { list: [1, 2], old: { x: 1, y: null } }, a: "same", n: undefined };
const after = { b: { list: [1, 3], fresh: { z: {} } }, a: "same" };

it("compares groups that both have, and lists item by item", () => {
  expect(differencesOf(before, after)).toEqual([
    { field: "b.fresh", before: undefined, after: { z: {} } },
    { field: "b.list[1]", before: 2, after: 3 },
    { field: "b.old", before: { x: 1, y: null }, after: undefined },
  ]);
  expect(differencesOf({ a: [1] }, { a: [1, 2] })).toEqual([{ field: "a", before: [1], after: [1, 2] }]);
  expect(differencesOf({ a: [] }, { a: {} })).toEqual([{ field: "a", before: [], after: {} }]);
});

it("compares the fields of groups that one has, and lists as a whole", () => {
  expect(differencesOf(before, after, allFields)).toEqual([
    { field: "b.list", before: [1, 2], after: [1, 3] },
    { field: "b.old.x", before: 1, after: undefined },
    { field: "b.old.y", before: null, after: undefined },
  ]);
  expect(differencesOf({ a: 1 }, { a: { b: 2 } }, allFields)).toEqual([{ field: "a", before: 1, after: { b: 2 } }]);
});
