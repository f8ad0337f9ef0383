import { cpSync, mkdirSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { Registry } from "./registry.ts";
import { moduleOf, scratchFolder, Workspace } from "./workspace.ts";

const folder = join(scratchFolder(), "consumer");
const workspace = new Workspace("consumer", folder);
const registry = new Registry(workspace);

const npm = `
npm = use_extension("@slipway//bazel:extensions.bzl", "npm")
npm.install(
    name = "npm",
    package_json = "//:package.json",
    pnpm_lock = "//:pnpm-lock.yaml",
)
use_repo(npm, "npm")
`;

const build = `
load("@slipway//bazel:defs.bzl", "pipeline")

pipeline(
    name = "main",
    data = ["numbers.csv"],
    deps = ["@npm//:csv-parse"],
)
`;

const program = `
import { readFileSync } from "node:fs";
import { parse } from "csv-parse/sync";
import { containerImage, dataFile, hasContainerImage, inImage, main } from "slipway";

const sum = inImage("sum", () => parse(readFileSync(dataFile("train/numbers.csv"), "utf8")).flat().reduce((a, b) => a + Number(b), 0));

await main(async () => {
  console.log(\`image: \${hasContainerImage() ? containerImage() : "none"}\`);
  console.log(\`sum: \${await sum()}\`);
});
`;

beforeAll(() => {
  mkdirSync(folder, { recursive: true });
  for (const name of ["package.json", "pnpm-lock.yaml"]) cpSync(join("examples/quickstart", name), join(folder, name));
  workspace.write({
    "MODULE.bazel": moduleOf("consumer", npm),
    "BUILD.bazel": `load("@slipway//bazel:defs.bzl", "image", "image_push")\nimage(name = "empty")\nimage_push(name = "push", images = [":empty"])\n`,
    "train/BUILD.bazel": build,
    "train/main.ts": program,
    "train/numbers.csv": "1,2\n3,36\n",
  });
});
afterAll(() => registry.stop());

describe("a workspace that depends on Slipway, with no settings of its own", () => {
  it("runs a pipeline on the base that Slipway brings, its npm packages and data in the image", async () => {
    const stdout = await workspace.stdout(["run", "//train:main"]);
    expect(stdout).toMatch(/^image: localhost:\d+\/train@sha256:[0-9a-f]{64}\nsum: 42\n$/);
    await registry.verifyNamed("train", stdout);
    expect(await workspace.stdout(["run", "//train:main_local"])).toBe("image: none\nsum: 42\n");
  });

  it("has the command line", async () => {
    const images = await workspace.stdout(["run", "@slipway//:slipway", "--", "registry", "ls", "--json"]);
    const [{ digest }] = JSON.parse(images);
    expect(JSON.parse(images)).toEqual([expect.objectContaining({ repository: "train", digest })]);
    await registry.verify("train", digest);
  });

  it("calls the repository of its root package by its module, so that two projects do not share one", async () => {
    const push = (...flags: string[]) => workspace.stdout(["run", ...flags, "//:push", "--", "--references"]);
    expect(await push()).toMatch(/^localhost:\d+\/consumer@sha256:/);
    expect(await push("--@slipway//bazel/settings:repository_prefix=team")).toMatch(/^localhost:\d+\/team\/consumer@/);
  });

  it("gives its settings by flags: another registry is asked, and the prefix is put before the repository", async () => {
    const prefix = "--@slipway//bazel/settings:repository_prefix=team/one";
    expect(await workspace.stdout(["run", prefix, "//train:main_push"])).toMatch(
      /^localhost:\d+\/team\/one\/train@sha256:/,
    );
    const { status, stderr } = await workspace.bazel([
      "run",
      "--@slipway//bazel/settings:registry=registry.invalid",
      "//train:main",
    ]);
    expect(stderr).toMatch(/^slipway: .*registry\.invalid[\s\S]*\[registry-unreachable\]$/m);
    expect(status).toBe(2);
  });

  it("does not push from the root package of a module without a name, where projects would share a repository", async () => {
    workspace.write({ "MODULE.bazel": moduleOf("consumer", npm).replace(/^module\(.*\)\n/, "") });
    const { status, stderr } = await workspace.bazel(["run", "//:push"]);
    expect(stderr).toMatch(/\/\/:push: .* without a name.*\n.*`module\(name = "NAME"\)`/);
    expect(status).toBe(1);
    const prefix = "--@slipway//bazel/settings:repository_prefix=team";
    expect(await workspace.stdout(["run", prefix, "//:push", "--", "--references"])).toMatch(/\/team\/main@/);
  });
});
