import { cpSync, mkdirSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { Registry } from "./registry.ts";
import { scratchFolder, Workspace } from "./workspace.ts";

const folder = join(scratchFolder(), "without-modules");
const consumer = new Workspace("consumer-without-modules", folder);
const own = new Workspace("without-modules");
const registry = new Registry(consumer);
const ownRegistry = new Registry(own);

const workspace = `
workspace(name = "team")

load("@bazel_tools//tools/build_defs/repo:http.bzl", "http_archive")

http_archive(
    name = "bazel_skylib",
    sha256 = "6e78f0e57de26801f6f564fa7c4a48dc8b36873e416257a92bbb0937eeac8446",
    urls = ["https://github.com/bazelbuild/bazel-skylib/releases/download/1.8.2/bazel-skylib-1.8.2.tar.gz"],
)

local_repository(name = "slipway", path = ${JSON.stringify(process.cwd())})

load("@slipway//bazel:repositories.bzl", "base_images", "npm_packages", "python_packages", "slipway_dependencies")

slipway_dependencies()

base_images()

npm_packages(name = "npm", package_json = "//:package.json", pnpm_lock = "//:pnpm-lock.yaml")

python_packages(name = "pip", requirements = "//:requirements.txt")
`;

const build = `
load("@slipway//bazel:defs.bzl", "pipeline")
load("@slipway//bazel:python.bzl", "py_pipeline")

pipeline(
    name = "numbers",
    bases = {
        "default": "@worker_base//image",
        "slim": "@slim_base//image",
    },
    data = ["numbers.csv"],
    deps = ["@npm//:csv-parse"],
)

py_pipeline(
    name = "squares",
    srcs = ["square.py"],
    deps = ["@pip//:packages"],
)
`;

const numbers = `
import { readFileSync } from "node:fs";
import { parse } from "csv-parse/sync";
import { containerImage, dataFile, hasContainerImage, inImage, main } from "slipway";

const sum = inImage("sum", () => parse(readFileSync(dataFile("train/numbers.csv"), "utf8")).flat().reduce((a, b) => a + Number(b), 0));

await main(async () => {
  for (const tag of ["default", "slim"]) console.log(\`\${tag}: \${hasContainerImage(tag) ? containerImage(tag) : "none"}\`);
  console.log(\`sum: \${await sum()}\`);
});
`;

const squares = `
import six
import slipway
import square

print(six.__version__, square.square(6))
print(slipway.container_image() if slipway.has_container_image() else "none")
`;

beforeAll(() => {
  mkdirSync(folder, { recursive: true });
  for (const name of ["package.json", "pnpm-lock.yaml"]) cpSync(join("examples/quickstart", name), join(folder, name));
  consumer.write({
    ".bazelrc": "common --enable_workspace --noenable_bzlmod\n",
    WORKSPACE: workspace,
    "BUILD.bazel": `load("@slipway//bazel:defs.bzl", "image", "image_push")\nimage(name = "empty")\nimage_push(name = "push", images = [":empty"])\n`,
    "requirements.txt": "six==1.17.0 --hash=sha256:4721f391ed90541fddacab5acf947aa0d3dc7d27b2e1e8eda2be8970586c3274\n",
    "train/BUILD.bazel": build,
    "train/numbers.ts": numbers,
    "train/numbers.csv": "1,2\n3,36\n",
    "train/squares.py": squares,
    "train/square.py": "def square(number):\n    return number * number\n",
  });
});
afterAll(async () => {
  await registry.stop();
  await ownRegistry.stop();
});

const image = String.raw`localhost:\d+\/train@sha256:[0-9a-f]{64}`;

describe("a repository with a WORKSPACE file", () => {
  it("runs a TypeScript pipeline on the bases that Slipway brings", async () => {
    expect(await consumer.stdout(["run", "//train:numbers_local"])).toBe("default: none\nslim: none\nsum: 42\n");
    const stdout = await consumer.stdout(["run", "//train:numbers"]);
    expect(stdout).toMatch(new RegExp(`^default: ${image}\nslim: ${image}\nsum: 42\n$`));
    await registry.verifyNamed("train", stdout);
  });

  it("runs a Python pipeline with packages from a locked requirements file", async () => {
    expect(await consumer.stdout(["run", "//train:squares_local"])).toBe("1.17.0 36\nnone\n");
    const stdout = await consumer.stdout(["run", "//train:squares"]);
    expect(stdout).toMatch(new RegExp(`^1\\.17\\.0 36\n${image}\n$`));
    await registry.verifyNamed("train", stdout);
  });

  it("calls the repository of its root package by its workspace", async () => {
    expect(await consumer.stdout(["run", "//:push", "--", "--references"])).toMatch(/^localhost:\d+\/team@sha256:/);
  });

  it("has the command line", async () => {
    const text = await consumer.stdout(["run", "@slipway//:slipway", "--", "registry", "ls", "--json"]);
    expect((JSON.parse(text) as { readonly repository: string }[]).map(({ repository }) => repository)).toEqual(
      Array(3).fill("train"),
    );
  });
});

describe("this repository by its WORKSPACE file", () => {
  it("runs the quickstart", async () => {
    const stdout = await own.stdout(["run", "--config=workspace", "//examples/quickstart:report"]);
    expect(stdout).toMatch(/^image: localhost:\d+\/examples\/quickstart@sha256:[0-9a-f]{64}\n/);
    await ownRegistry.verifyNamed("examples/quickstart", stdout);
  });
});
