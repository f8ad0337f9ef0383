import { expect, it } from "vitest";
import { parseBuildStatus, statusRemedy } from "./build-status.ts";

it("reads names and values of all files, the last one of a name", () => {
  const status = parseBuildStatus([
    "STABLE_GIT_COMMIT 0a1b\nSTABLE_EMPTY\nSTABLE_TEXT two words\n",
    "BUILD_TIMESTAMP 17\n",
  ]);
  expect([...status]).toEqual([
    ["STABLE_GIT_COMMIT", "0a1b"],
    ["STABLE_EMPTY", ""],
    ["STABLE_TEXT", "two words"],
    ["BUILD_TIMESTAMP", "17"],
  ]);
  expect(statusRemedy(status)).toContain(" use one of BUILD_TIMESTAMP, STABLE_EMPTY, STABLE_GIT_COMMIT, STABLE_TEXT.");
});

it.each([
  ["https://ci:token@git.example.com/a.git", "https://git.example.com/a.git"],
  ["git+HTTP://token@git.example.com/a", "git+HTTP://git.example.com/a"],
  ["https://git.example.com/@scope/a", "https://git.example.com/@scope/a"],
  ["ssh://git@git.example.com/a", "ssh://git@git.example.com/a"],
  ["git@git.example.com:a.git", "git@git.example.com:a.git"],
])("keeps no password of an address: %s", (written, kept) => {
  expect(parseBuildStatus([`STABLE_GIT_URL ${written}\n`]).get("STABLE_GIT_URL")).toBe(kept);
});
