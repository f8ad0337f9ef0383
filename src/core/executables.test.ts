import { chmodSync, mkdirSync, symlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect, it } from "vitest";
import { findExecutable, isExecutable } from "./executables.ts";
import { executable } from "./testdata/executable.ts";
import { temporaryFolder } from "./testdata/folder.ts";

it("finds the first executable file on PATH, as a shell does", () => {
  const [first, second] = [temporaryFolder(), temporaryFolder()];
  const program = executable("tool", "");
  writeFileSync(join(first, "tool"), "");
  chmodSync(join(first, "tool"), 0o644);
  symlinkSync(program, join(second, "tool"));
  mkdirSync(join(first, "folder"));
  const env = { PATH: `relative::${first}:${second}:${join(program, "..")}` };
  expect(findExecutable("tool", env)).toBe(join(second, "tool"));
  expect(["folder", "other"].map((name) => findExecutable(name, env))).toEqual([undefined, undefined]);
  expect(findExecutable("cwd-tool", { PATH: "" })).toBeUndefined();
  expect(findExecutable(program.slice(1), { PATH: ".:/" })).toBe(program);
  expect(findExecutable("vitest", { PATH: "node_modules/.bin" })).toBeUndefined();
  expect(findExecutable("tool", {})).toBeUndefined();
  expect(isExecutable(program)).toBe(true);
  expect([first, join(first, "tool"), join(first, "none")].map(isExecutable)).toEqual([false, false, false]);
});
