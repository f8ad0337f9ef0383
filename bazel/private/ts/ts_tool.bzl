"""Slipway's own tools. Each is one bundle, so that it starts fast and has few inputs."""

load("//bazel/private/node:node_toolchain.bzl", "NODE_TOOL_TOOLCHAIN")
load(":esbuild.bzl", "ESBUILD_ATTRS", "bundle")
load(":tool_providers.bzl", "tool_providers")
load(":ts_tool_info.bzl", "TsToolInfo")

def _ts_tool_impl(ctx):
    if ctx.attr.splitting:
        main = ctx.actions.declare_directory(ctx.label.name + ".bundle")
        entry = ctx.file.entry_point.basename.removesuffix(".ts") + ".mjs"
    else:
        main = ctx.actions.declare_file(ctx.label.name + (".mjs" if ctx.attr.format == "esm" else ".cjs"))
        entry = ""
    node_path = None
    if ctx.attr.deps:
        node_path = ctx.attr.deps[0].label.workspace_root + "/node_modules"
    bundle(
        ctx,
        entry_point = ctx.file.entry_point,
        inputs = depset([ctx.file.entry_point], transitive = [target[DefaultInfo].files for target in ctx.attr.srcs + ctx.attr.deps]),
        output = main,
        node_path = node_path,
        splitting = ctx.attr.splitting,
        minify = True,
        format = ctx.attr.format,
        browser = ctx.attr.browser,
        external = ["./" + target[TsToolInfo].main.basename for target in ctx.attr.siblings],
        define = ctx.attr.define,
    )
    return tool_providers(ctx, main, entry)

ts_tool = rule(
    implementation = _ts_tool_impl,
    doc = "A TypeScript tool, bundled with all its packages.",
    attrs = {
        "entry_point": attr.label(mandatory = True, allow_single_file = [".ts", ".mts", ".mjs"], doc = "The module that starts."),
        "srcs": attr.label_list(allow_files = True, doc = "The modules that it imports, or filegroups of them."),
        "deps": attr.label_list(doc = "npm packages, all from one npm repository."),
        "data": attr.label_list(allow_files = True, doc = "Files that the tool finds in its runfiles."),
        "define": attr.string_dict(doc = "Names in the sources to the expressions that replace them."),
        "browser": attr.bool(doc = "Whether it runs in browsers instead of Node."),
        "format": attr.string(default = "esm", values = ["esm", "cjs"], doc = "The module format. `cjs` starts faster; some packages need `esm`."),
        "siblings": attr.label_list(providers = [TsToolInfo], doc = "Single-file tools of the same package that this tool imports as `./NAME.mjs` on demand."),
        "splitting": attr.bool(doc = "Whether dynamically imported modules become separate files, loaded on demand."),
    } | ESBUILD_ATTRS,
    executable = True,
    toolchains = [NODE_TOOL_TOOLCHAIN],
)
