import { programText } from "./text.ts";
import { moduleOf, type Workspace } from "./workspace.ts";

/**
 * The shape of work: 30 packages, 3,000 files and 30 MB of third-party code; a program that loads one of each package.
 */
const packages = 30;
const filesPerPackage = 100;
const bytesPerFile = 10_000;

/**
 * A program of files as they lie in the package, node_modules among them, as js_binary of rules_js has it: sources,
 * launcher and runfiles.
 */
const rule = `
def _program_impl(ctx):
    script = ctx.actions.declare_file(ctx.label.name)
    ctx.actions.write(script, """#!/bin/sh
case $0 in /*) p=$0 ;; *) p=$PWD/$0 ;; esac
exec %s "\${RUNFILES_DIR:-$p.runfiles}/%s/%s"
""" % (ctx.attr.node, ctx.workspace_name, ctx.file.main.short_path), is_executable = True)
    files = depset([ctx.file.main], transitive = [target.files for target in ctx.attr.data])
    return [DefaultInfo(executable = script, runfiles = ctx.runfiles(transitive_files = files))]

program = rule(
    implementation = _program_impl,
    executable = True,
    attrs = {
        "node": attr.string(),
        "main": attr.label(allow_single_file = True),
        "data": attr.label_list(allow_files = True),
    },
)
`;

/** The base that the images are on, as it is named in a registry, and where. */
export interface BaseImage {
  readonly image: string;
  readonly digest: string;
}

/** Writes the workspace of cases 1 to 5. */
export function writeShape(workspace: Workspace, release: string, base: BaseImage): void {
  const names = Array.from({ length: packages }, (_, index) => `p${String(index).padStart(2, "0")}`);
  workspace.write({
    "MODULE.bazel": moduleOf(
      release,
      `base_images = use_extension("@slipway//bazel:extensions.bzl", "base_images")
base_images.pull(name = "base", image = "${base.image}", digest = "${base.digest}")
use_repo(base_images, "base")
`,
    ),
    "program.bzl": rule,
    "app/BUILD.bazel": `
load("@slipway//bazel:defs.bzl", "image", "image_layer", "pipeline")
load("//:program.bzl", "program")

program(name = "app", main = "main.js", node = ${JSON.stringify(process.execPath)}, data = glob(["node_modules/**"]))
pipeline(name = "main", binary = ":app", base = "@base//image")
# For tools that push a folder: without the base, whose layers are not on this machine.
image(name = "peer", layers = [":main_layers"])
image_layer(name = "tiny_layer", files = {"/BUILD.bazel": "BUILD.bazel"})
image(name = "tiny", layers = [":tiny_layer"], cmd = ["true"])
`,
  });
  for (const [index, name] of names.entries()) {
    const files = Array.from({ length: filesPerPackage }, (_, number) => {
      const text = programText(index * filesPerPackage + number + 1, bytesPerFile);
      return [`app/node_modules/${name}/${number === 0 ? "index" : `file${number}`}.js`, text] as const;
    });
    workspace.write({
      ...Object.fromEntries(files),
      [`app/node_modules/${name}/package.json`]: `{"name":"${name}","version":"1.0.0","main":"index.js"}\n`,
    });
  }
  editProgram(workspace, "first");
}

/** Writes the program anew, one line of it with text never seen before. */
export function editProgram(workspace: Workspace, text: string): void {
  const lines = Array.from({ length: packages }, (_, index) => `require("p${String(index).padStart(2, "0")}");`);
  workspace.write({ "app/main.js": `${lines.join("\n")}\nconsole.log(${JSON.stringify(text)});\n` });
}

/** Writes one file of one package anew, with bytes never seen before. */
export function editPackage(workspace: Workspace, seed: number): void {
  workspace.write({ "app/node_modules/p17/file42.js": programText(1_000_000 + seed, bytesPerFile) });
}
