import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { scratchFolder, Workspace } from "./workspace.ts";

const scratch = scratchFolder();
const app = new Workspace("app", join(scratch, "app"));
const lib = new Workspace("lib", join(scratch, "lib"));

// Both modules use the names that the documentation does.
const extensions = `
bazel_dep(name = "slipway", version = "0.1.0")
npm = use_extension("@slipway//bazel:extensions.bzl", "npm")
npm.install(name = "npm", package_json = "//:package.json", pnpm_lock = "//:pnpm-lock.yaml")
use_repo(npm, "npm")
python = use_extension("@slipway//bazel:extensions.bzl", "python")
python.install(name = "pip", requirements = "//:requirements.txt")
use_repo(python, "pip")
`;
const overrides = `
bazel_dep(name = "lib", version = "1.0")
local_path_override(module_name = "lib", path = "../lib")
local_path_override(module_name = "slipway", path = ${JSON.stringify(process.cwd())})
`;
const build = `
load("@slipway//bazel:defs.bzl", "ts_binary")
load("@slipway//bazel:python.bzl", "py_pipeline")

ts_binary(name = "main", entry_point = "main.ts", deps = ["@npm//:csv-parse"], visibility = ["//visibility:public"])

py_pipeline(name = "squares", deps = ["@pip//:packages"], visibility = ["//visibility:public"])
`;
const main = `
import { readFileSync } from "node:fs";
import { parse } from "csv-parse/sync";

const manifest = import.meta.resolve("csv-parse").replace(/csv-parse\\/.*/, "csv-parse/package.json");
console.log(JSON.parse(readFileSync(new URL(manifest), "utf8")).version, parse("1,2").length);
`;

interface Pin {
  readonly name: string;
  readonly version: string;
  readonly integrity: string;
}

function lockOf(...pins: readonly Pin[]): Record<string, string> {
  const each = (format: (pin: Pin) => string) => pins.map(format).join("");
  return {
    "package.json": JSON.stringify({
      dependencies: Object.fromEntries(pins.map(({ name, version }) => [name, version])),
    }),
    "pnpm-lock.yaml": `lockfileVersion: '9.0'

settings:
  autoInstallPeers: true
  excludeLinksFromLockfile: false

importers:

  .:
    dependencies:
${each(({ name, version }) => `      ${name}:\n        specifier: ${version}\n        version: ${version}\n`)}
packages:
${each(({ name, version, integrity }) => `\n  ${name}@${version}:\n    resolution: {integrity: ${integrity}}\n`)}
snapshots:
${each(({ name, version }) => `\n  ${name}@${version}: {}\n`)}`,
  };
}

beforeAll(() => {
  const files = {
    "BUILD.bazel": build,
    "main.ts": main,
    "squares.py": "import six\nprint(six.__version__)\n",
  };
  app.write({
    ...files,
    ...lockOf(
      {
        name: "csv-parse",
        version: "5.6.0",
        integrity: "sha512-l3nz3euub2QMg5ouu5U09Ew9Wf6/wQ8I++ch1loQ0ljmzhmfZYrH9fflS22i/PQEvsPvxCwxgz5q7UB8K1JO4Q==",
      },
      {
        name: "simple-statistics",
        version: "7.12.1",
        integrity: "sha512-LYRvHhZceO9MTzDw6ptt3PBoOHuiTqNU5Ew5MLjjcLwuzgfATMf1oMFdgDW7elVDGwZvi98pGoUoFhwuXTHTRA==",
      },
    ),
    "MODULE.bazel": `module(name = "app")\n${extensions}${overrides}`,
    "requirements.txt": "six==1.17.0 --hash=sha256:4721f391ed90541fddacab5acf947aa0d3dc7d27b2e1e8eda2be8970586c3274\n",
  });
  lib.write({
    ...files,
    ...lockOf({
      name: "csv-parse",
      version: "5.5.6",
      integrity: "sha512-uNpm30m/AGSkLxxy7d9yRXpJQFrZzVWLFBkS+6ngPcZkw/5k3L/jjFuj7tVnEpRn+QgmiXr21nDlhCiUK4ij2A==",
    }),
    "MODULE.bazel": `module(name = "lib", version = "1.0")\n${extensions}`,
    "requirements.txt": "six==1.16.0 --hash=sha256:8abb2f1d86890a2dfb989f9a77cfcfd3e47c2a354b01111771326f8aa26e0254\n",
  });
});
afterAll(() => app.bazel(["shutdown"]));

describe("two modules that use the same names of repositories", () => {
  it("each have the npm packages of their own lock file", async () => {
    expect(await app.stdout(["run", "//:main"])).toBe("5.6.0 1\n");
    expect(await app.stdout(["run", "@lib//:main"])).toBe("5.5.6 1\n");
  });

  it("each have the Python packages of their own requirements file", async () => {
    expect(await app.stdout(["run", "//:squares_local"])).toBe("1.17.0\n");
    expect(await app.stdout(["run", "@lib//:squares_local"])).toBe("1.16.0\n");
  });

  it("get no package that only the other one locks", async () => {
    lib.write({
      "more/BUILD.bazel": build.replace("csv-parse", "simple-statistics"),
      "more/main.ts": main,
      "more/squares.py": "",
    });
    const { status, stderr } = await app.bazel(["build", "@lib//more:main"]);
    expect(status).not.toBe(0);
    expect(stderr).toMatch(/simple-statistics is not in the lock file of its module/);
  });
});
