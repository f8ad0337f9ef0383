import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { linkInTree } from "./tree-link.ts";

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "tree-"));
  mkdirSync(join(folder, "out/tree/sub/deep"), { recursive: true });
  writeFileSync(join(folder, "out/outside"), "outside");
  writeFileSync(join(folder, "out/tree/file"), "file");
  writeFileSync(join(folder, "out/tree/sub/file"), "sub");
  const links = {
    link: "file",
    "sub/up": "../file",
    "sub/deep/to-sub": "../file",
    alias: "sub/deep",
    leaves: "../outside",
    "through-outside": "../tree/file",
    absolute: join(folder, "out/tree/file"),
    dangling: "nothing",
  };
  for (const [path, target] of Object.entries(links)) symlinkSync(target, join(folder, "out/tree", path));
});
afterEach(() => rmSync(folder, { recursive: true }));

const cases: [string, string | undefined][] = [
  ["file", undefined],
  ["link", "file"],
  ["sub/up", "../file"],
  ["sub/deep/to-sub", "../file"],
  // In the image `alias` is a folder, from which `..` is the root of the tree.
  ["alias/to-sub", undefined],
  ["leaves", undefined],
  ["through-outside", undefined],
  ["absolute", undefined],
  ["dangling", undefined],
  ["missing", undefined],
];

describe("linkInTree", () => {
  it.each(cases)("tells what %s is where the tree was made", (inTree, expected) => {
    const execPath = `out/tree/${inTree}`;
    expect(linkInTree(join(folder, execPath), execPath, inTree)).toBe(expected);
  });

  it.each(cases)("tells what %s is in a sandbox, where every file is a link", (inTree, expected) => {
    const execPath = `out/tree/${inTree}`;
    const staged = join(folder, "sandbox", execPath);
    mkdirSync(dirname(staged), { recursive: true });
    symlinkSync(join(folder, execPath), staged);
    expect(linkInTree(staged, execPath, inTree)).toBe(expected);
  });
});
