import { spawnSync } from "node:child_process";
import { existsSync, mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join, resolve } from "node:path";
import { afterEach, beforeEach, expect, it } from "vitest";

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(process.env["TEST_TMPDIR"] ?? tmpdir(), "npm-"));
  addPackage("node_modules/outer", "{}");
});
afterEach(() => rmSync(folder, { recursive: true }));

function addPackage(path: string, manifest: string | undefined): void {
  mkdirSync(join(folder, path), { recursive: true });
  if (manifest !== undefined) writeFileSync(join(folder, path, "package.json"), manifest);
}

function describeRepository() {
  return spawnSync(process.execPath, [resolve("bazel/private/npm/describe.mjs"), folder, "//:rule.bzl"], {
    encoding: "utf8",
  });
}

it.each(['x"); print(1); ("', "a:b", "a\\b", "a\nb", "a\u0007b", "*", "?", "a b", "@scope/*", "$(x)"])(
  "refuses a bundled package that is named %j, with the name of the package around it",
  (name) => {
    addPackage(`node_modules/outer/node_modules/${name}`, "{}");
    const { status, stdout, stderr } = describeRepository();
    expect({ status, stdout }).toEqual({ status: 1, stdout: "" });
    expect(stderr).toContain("npm package outer: ");
  },
);

it.each(["{", "null", "", undefined])("refuses a bundled package whose package.json is %j", (manifest) => {
  addPackage("node_modules/outer", '{ "dependencies": { "inner": "1" } }');
  addPackage("node_modules/outer/node_modules/inner", manifest);
  const { status, stderr } = describeRepository();
  expect(status).toBe(1);
  expect(stderr).toContain("npm package outer: ");
});

it("finds no package outside of the folder, whatever a package depends on", () => {
  addPackage("node_modules/outer", JSON.stringify({ dependencies: { "../../../etc": "1", 'x"); print(1); ("': "1" } }));
  const { status, stdout } = describeRepository();
  expect(status).toBe(0);
  expect(stdout).toContain('deps = [":files/node_modules/outer"]');
  expect(stdout).not.toMatch(/etc|print/);
});

it.each([
  "node_modules/outer/node_modules",
  "node_modules/outer/node_modules/inner",
  "node_modules/inner",
  "node_modules/@scope",
  "node_modules/@scope/inner",
])("refuses the link %s to a folder of the build host, and removes nothing there", (link) => {
  for (const name of ["host", "host/inner"]) addPackage(name, "{}");
  writeFileSync(join(folder, "host/BUILD"), "");
  mkdirSync(dirname(join(folder, link)), { recursive: true });
  symlinkSync(join(folder, "host"), join(folder, link));
  const { status, stdout, stderr } = describeRepository();
  expect({ status, stdout, isKept: existsSync(join(folder, "host/BUILD")) }).toEqual({
    status: 1,
    stdout: "",
    isKept: true,
  });
  expect(stderr).toContain(JSON.stringify(link));
});
