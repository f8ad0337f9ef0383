import { mkdirSync, mkdtempSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { expect, it } from "vitest";
import { userErrorWith } from "../core/testdata/reported.ts";
import { dataFile } from "./data-file.ts";

function tree(...files: string[]): string {
  const root = mkdtempSync(join(tmpdir(), "data-file-"));
  for (const file of files) {
    mkdirSync(dirname(join(root, file)), { recursive: true });
    writeFileSync(join(root, file), "");
  }
  return root;
}

it("finds a file in the runfiles, of this repository and of another", () => {
  const root = tree("_main/pkg/a.csv", "other+/b.csv");
  const env = { RUNFILES_DIR: root };
  expect(dataFile("pkg/a.csv", env, "/nowhere/main.mjs")).toBe(join(root, "_main/pkg/a.csv"));
  expect(dataFile("other+/b.csv", env, "/nowhere/main.mjs")).toBe(join(root, "other+/b.csv"));
});

it("finds it in a main repository that has another name", () => {
  const root = tree("mine/pkg/a.csv");
  const env = { RUNFILES_DIR: root, SLIPWAY_MAIN_REPOSITORY: "mine" };
  expect(dataFile("pkg/a.csv", env, "/nowhere/main.mjs")).toBe(join(root, "mine/pkg/a.csv"));
});

it("finds it from the program's own place when no variable names the runfiles", () => {
  const root = tree("main.runfiles/mine/pkg/a.csv", "main.runfiles/mine/pkg/main.mjs");
  const folder = join(root, "main.runfiles/mine/pkg");
  expect(dataFile("pkg/a.csv", {}, join(folder, "main.mjs"))).toBe(join(folder, "a.csv"));
});

it("names what is missing", () => {
  expect(() => dataFile("pkg/none.csv", {}, join(tree(), "main.mjs"))).toThrow(
    userErrorWith("file-unreadable", "pkg/none.csv"),
  );
});
