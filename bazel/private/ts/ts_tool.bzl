"""Slipway's own tools: everything in one bundle, so that they start fast and have few inputs."""

load("//bazel/private:runfiles.bzl", "launcher_script", "runfiles_path")
load("//bazel/private/node:node_toolchain.bzl", "NODE_TOOL_TOOLCHAIN")
load(":esbuild.bzl", "ESBUILD_ATTRS", "bundle")
load(":ts_tool_info.bzl", "TsToolInfo")

# `process.execve`, by which the launcher becomes the program, still announces itself.
NODE_TOOL_FLAGS = [
    "--disable-warning=ExperimentalWarning",
    # What is streamed is garbage at once, and is collected soon this way: 130 MB instead of 200 MB for a blob of 3 GiB between two
    # registries, in a tenth less time. Making layers is as fast as before.
    "--max-semi-space-size=1",
]

def _ts_tool_impl(ctx):
    node = ctx.toolchains[NODE_TOOL_TOOLCHAIN].slipway_node.node
    if ctx.attr.splitting:
        main = ctx.actions.declare_directory(ctx.label.name + ".bundle")
        entry = ctx.file.entry_point.basename.removesuffix(".ts") + ".mjs"
    else:
        main = ctx.actions.declare_file(ctx.label.name + (".mjs" if ctx.attr.format == "esm" else ".cjs"))
        entry = ""
    node_path = None
    if ctx.attr.deps:
        node_path = ctx.attr.deps[0].label.workspace_root + "/node_modules"
    siblings = [target[TsToolInfo].main for target in ctx.attr.siblings]
    bundle(
        ctx,
        entry_point = ctx.file.entry_point,
        inputs = depset([ctx.file.entry_point], transitive = [target[DefaultInfo].files for target in ctx.attr.srcs + ctx.attr.deps]),
        output = main,
        node_path = node_path,
        splitting = ctx.attr.splitting,
        minify = True,
        format = ctx.attr.format,
        external = ["./" + file.basename for file in siblings],
    )
    script = ctx.actions.declare_file(ctx.label.name)
    module = runfiles_path(ctx, main) + ("/" + entry if entry else "")
    ctx.actions.write(
        script,
        launcher_script(["{runfiles}/" + runfiles_path(ctx, node)] + NODE_TOOL_FLAGS + ["{runfiles}/" + module]),
        is_executable = True,
    )
    runfiles = ctx.runfiles(
        [main, node] + siblings,
        transitive_files = depset(transitive = [target[DefaultInfo].files for target in ctx.attr.data]),
    )
    return [
        DefaultInfo(executable = script, files = depset([script, main]), runfiles = runfiles),
        TsToolInfo(main = main, entry = entry, node = node, siblings = siblings),
        OutputGroupInfo(bundle = depset([main])),
    ]

ts_tool = rule(
    implementation = _ts_tool_impl,
    doc = "A TypeScript tool, bundled with all its packages.",
    attrs = {
        "entry_point": attr.label(mandatory = True, allow_single_file = [".ts", ".mts"], doc = "The module that starts."),
        "srcs": attr.label_list(allow_files = True, doc = "The modules it imports, or filegroups of them."),
        "deps": attr.label_list(doc = "npm packages, all from one npm repository."),
        "data": attr.label_list(allow_files = True, doc = "Files that the tool finds in its runfiles."),
        "format": attr.string(default = "esm", values = ["esm", "cjs"], doc = "The kind of modules: `cjs` starts faster, `esm` is what packages may need."),
        "siblings": attr.label_list(providers = [TsToolInfo], doc = "Tools in one file, in the same package, that it imports as modules by `./NAME.mjs` when it needs them."),
        "splitting": attr.bool(doc = "Whether what is imported dynamically becomes files of their own, loaded when needed."),
    } | ESBUILD_ATTRS,
    executable = True,
    toolchains = [NODE_TOOL_TOOLCHAIN],
)
