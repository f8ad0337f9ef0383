import { existsSync, globSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect, it } from "vitest";
import { temporaryFolder } from "../../core/testdata/folder.ts";
import { userErrorWith } from "../../core/testdata/reported.ts";
import { pythonImports } from "./python-imports.ts";

const runfiles = process.env["TEST_SRCDIR"] ?? "";
const [pyodide = ""] = globSync("*slipway_pyodide/node_modules/pyodide", { cwd: runfiles });
const code = readFileSync(join(runfiles, "_main/bazel/private/python/check_imports.py"));

async function check(sources: Readonly<Record<string, string>>, ...entries: readonly (readonly string[])[]) {
  const folder = temporaryFolder();
  writeFileSync(join(folder, "check.py"), code);
  const names = Object.keys(sources).map((path, index) => ["source", path, `${index}.py`]);
  for (const [, path = "", file = ""] of names) writeFileSync(join(folder, file), sources[path] ?? "");
  const modules = Object.keys(sources).map((path) => ["module", path]);
  const args = ["--check=check.py", "--output=marker", "--target=//:a", "--start=a/main.py"];
  const all = [...args, ...[...names, ...modules, ...entries].map((entry) => JSON.stringify(entry))];
  await pythonImports(all, { folder, signal: new AbortController().signal }, join(runfiles, pyodide));
  expect(existsSync(join(folder, "marker"))).toBe(true);
}

it("names each module that a Python target does not have, where it is imported, and what to do", async () => {
  const program = {
    "a/main.py": "import os\nimport requests, yaml\nimport a.menu",
    "a/menu.py": "from . import tables",
  };
  await check({ ...program, "a/tables.py": "" }, ["package", "yaml"], ["package", "requests"]);
  await check(program, ["folder", "generated"], ["module", "a/tables.py"]);
  const both = check(program, ["package", "yaml"]);
  await expect(both).rejects.toThrow(userErrorWith("target-invalid", "a/main.py:2:8"));
  await expect(both).rejects.toThrow(/a\/menu\.py:1:1 imports a\.tables/);
  const local = check({ "a/main.py": "import a.menus", "a/menu.py": "" });
  await expect(local).rejects.toThrow(userErrorWith("target-invalid", "a/main.py:1:8"));
}, 60_000);

it("checks on after a module that ends the interpreter", async () => {
  await check({ "a/main.py": `x = ${"-".repeat(100_000)}1` });
  await expect(check({ "a/main.py": "import b" })).rejects.toThrow(userErrorWith("target-invalid", "a/main.py:1:8"));
}, 60_000);
