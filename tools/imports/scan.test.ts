import { expect, it } from "vitest";
import { importsFile } from "./scan.ts";

it("reads what a module uses when it runs", () => {
  const texts: Readonly<Record<string, string>> = {
    "src/a/BUILD.bazel": "",
    "src/a/main.ts": [
      'import type { T } from "./types.ts";',
      'import { type T, b } from "../b/b.ts";',
      'import yargs from "yargs/helpers";',
      'import { x } from "@scope/name/sub.js";',
      'import { readFileSync } from "node:fs";',
      'import { parse } from "of-another-repository";',
      'export { c } from "./c.mjs";',
      'import keys from "./keys.json" with { type: "json" };',
      'const later = await import("./later.ts");',
      '// import "./comment.ts";',
      'fork(join(import.meta.dirname, "program.ts"));',
    ].join("\n"),
    "src/a/c.mts": "",
    "src/a/keys.json": "",
    "src/a/comment.ts": "",
    "src/a/later.ts": "",
    "src/a/program.ts": "",
    "src/a/types.ts": "",
    "src/b/BUILD.bazel": "",
    "src/b/b.ts": 'import {\n  one,\n  two,\n} from "../a/later.ts";',
  };
  const packages = new Set(["@scope/name", "yargs"]);
  expect(
    importsFile({ files: new Set(Object.keys(texts)), read: (path) => texts[path] ?? "", packages })
      .split("\n")
      .slice(3),
  ).toEqual([
    '    "//src/a:main.ts": "//src/a:c.mts //src/a:keys.json //src/a:later.ts //src/b:b.ts ?//src/a:program.ts @scope/name yargs",',
    '    "//src/b:b.ts": "//src/a:later.ts",',
    "}",
    "",
  ]);
});
