import { randomUUID } from "node:crypto";
import { appendFileSync, globSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { beforeAll, describe, expect, it } from "vitest";
import { Workspace } from "./workspace.ts";

const workspace = new Workspace("rebuilds");

// A program of a rule that does not say which of its files are whose, with packages as the rulesets of npm and Python
// bring them: folders in a
// store, each made by one action, with links beside them; and a repository for each package.
const rule = `
def _store_impl(ctx):
    files = []
    for source, package in ctx.attr.packages.items():
        store = ctx.label.name + "/node_modules/.aspect_rules_js/" + package + "@1.0.0/node_modules/" + package
        tree = ctx.actions.declare_directory(store)
        ctx.actions.run_shell(
            inputs = source.files,
            outputs = [tree],
            arguments = [tree.path] + [file.path for file in source.files.to_list()],
            command = 'out=$1; shift; cp "$@" "$out"',
        )
        link = ctx.actions.declare_symlink(ctx.label.name + "/node_modules/" + package)
        ctx.actions.symlink(output = link, target_path = ".aspect_rules_js/" + package + "@1.0.0/node_modules/" + package)
        files += [tree, link]
    script = ctx.actions.declare_file(ctx.label.name + ".sh")
    ctx.actions.write(script, "#!/bin/sh\\n", is_executable = True)
    runfiles = ctx.runfiles([script] + files, transitive_files = depset(transitive = [target.files for target in ctx.attr.data]))
    return [DefaultInfo(executable = script, runfiles = runfiles)]

program = rule(
    implementation = _store_impl,
    executable = True,
    attrs = {"data": attr.label_list(allow_files = True), "packages": attr.label_keyed_string_dict(allow_files = True)},
)
`;

const build = `
load("//bazel:defs.bzl", "image", "pipeline")
load("//bazel:python.bzl", "py_pipeline")
load(":program.bzl", "program")

image(name = "empty")

pipeline(
    name = "typescript",
    base = ":empty",
    data = ["own.txt"],
    deps = ["@quickstart_npm//:csv-parse", "@quickstart_npm//:simple-statistics"],
)

py_pipeline(
    name = "python",
    base = ":empty",
    srcs = ["own.py"],
    deps = ["@rebuilds_pip_one//:one", "@rebuilds_pip_two//:two"],
)

program(
    name = "foreign_program",
    data = ["own.txt", "@rebuilds_pip_one//:files", "@rebuilds_pip_two//:files"],
    packages = {name + ".js": name for name in ["left", "right", "middle"]},
)

pipeline(
    name = "foreign",
    base = ":empty",
    binary = ":foreign_program",
)
`;

const pip = (name: string) => ({
  [`rebuilds/${name}/MODULE.bazel`]: `module(name = "rebuilds_pip_${name}")\n\nbazel_dep(name = "slipway", version = "0.0.0")\n`,
  [`rebuilds/${name}/BUILD.bazel`]: `
load("@slipway//bazel:python.bzl", "python_library")

python_library(
    name = "${name}",
    srcs = [":files"],
    imports = ["site-packages"],
    visibility = ["//visibility:public"],
)

filegroup(
    name = "files",
    srcs = glob(["site-packages/**"]),
    visibility = ["//visibility:public"],
)
`,
  [`rebuilds/${name}/site-packages/${name}/__init__.py`]: "",
  [`rebuilds/${name}/site-packages/${name}/core.py`]: "answer = 42\n",
});

/** Builds images and says which layers were made: `typescript third party 1`. */
async function layersMade(...names: string[]): Promise<string[]> {
  const targets = names.map((name) => `//rebuilds:${name}_default_image`);
  const { status, stderr } = await workspace.bazel(["build", "--subcommands", ...targets]);
  expect(status, stderr).toBe(0);
  return [...stderr.matchAll(/^SUBCOMMAND: # \/\/rebuilds:(\w+)_layers \[action 'Making layer \((.*?)\)/gm)]
    .map(([, target, layer]) => `${target} ${layer}`)
    .sort();
}

const edit = (path: string, line = (version: string) => `# ${version}`) =>
  appendFileSync(join(workspace.folder, path), `\n${line(randomUUID())}\n`);

beforeAll(async () => {
  workspace.write({
    "rebuilds/program.bzl": rule,
    "rebuilds/BUILD.bazel": build,
    "rebuilds/typescript.ts": "console.log(1);\n",
    "rebuilds/python.py": "import own\n",
    "rebuilds/own.py": "",
    "rebuilds/own.txt": "",
    "rebuilds/left.js": "",
    "rebuilds/right.js": "",
    "rebuilds/middle.js": "",
    ...pip("one"),
    ...pip("two"),
  });
  const module = readFileSync(join(workspace.folder, "MODULE.bazel"), "utf8");
  if (!module.includes("rebuilds_pip_one")) {
    const lines = ["one", "two"].map(
      (name) => `
bazel_dep(name = "rebuilds_pip_${name}", version = "0.0.0", dev_dependency = True)
local_path_override(module_name = "rebuilds_pip_${name}", path = "rebuilds/${name}")
`,
    );
    workspace.write({ "MODULE.bazel": module + lines.join("") });
    workspace.write({
      ".bazelignore": `${readFileSync(join(workspace.folder, ".bazelignore"), "utf8")}\nrebuilds/one\nrebuilds/two\n`,
    });
  }
  const made = await layersMade("typescript", "python", "foreign");
  expect(made.length).toBeGreaterThan(9);
});

describe("an edit of one file makes one layer anew", () => {
  it.each([
    [
      "a first-party file of a TypeScript program",
      "typescript",
      () => edit("rebuilds/typescript.ts", (version) => `console.log("${version}");`),
      /^typescript first party$/,
    ],
    ["a file that it reads", "typescript", () => edit("rebuilds/own.txt"), /^typescript first party$/],
    ["an npm package", "typescript", () => editNpm("csv-parse"), /^typescript third party \d+$/],
    ["a first-party file of a Python program", "python", () => edit("rebuilds/own.py"), /^python first party$/],
    ["a pip package", "python", () => edit("rebuilds/one/site-packages/one/core.py"), /^python third party \d+$/],
    [
      "a first-party file of a program of another rule",
      "foreign",
      () => edit("rebuilds/own.txt"),
      /^foreign first party$/,
    ],
    ["an npm package in its store", "foreign", () => edit("rebuilds/left.js"), /^foreign third party \d+$/],
    [
      "a pip package with a repository of its own",
      "foreign",
      () => edit("rebuilds/two/site-packages/two/core.py"),
      /^foreign third party \d+$/,
    ],
  ])("%s", async (_what, name, change, layer) => {
    await layersMade(name);
    change();
    const made = await layersMade(name);
    expect(made).toEqual([expect.stringMatching(layer)]);
  });

  it("and none when nothing has changed", async () => {
    await layersMade("typescript", "python", "foreign");
    expect(await layersMade("typescript", "python", "foreign")).toEqual([]);
  });
});

/** Edits a file of a package where Bazel has it. */
function editNpm(name: string): void {
  const external = join(workspace.outputBase, "external");
  const repository = readdirSync(external).find((folder) => /[~+]quickstart_npm$/.test(folder)) ?? "";
  const [file = ""] = globSync(`${repository}/node_modules/${name}/**/*.js`, { cwd: external }).sort();
  appendFileSync(join(external, file), `\n// ${randomUUID()}\n`);
}
