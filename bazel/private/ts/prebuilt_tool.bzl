"""Slipway's own tools in a release: bundles that came with it."""

load("//bazel/private/node:node_toolchain.bzl", "NODE_TOOL_TOOLCHAIN")
load(":tool_providers.bzl", "tool_providers")
load(":ts_tool_info.bzl", "TsToolInfo")

def _prebuilt_tool_impl(ctx):
    return tool_providers(ctx, ctx.file.main, chunks = [file for file in ctx.files.chunks if file != ctx.file.main])

prebuilt_tool = rule(
    implementation = _prebuilt_tool_impl,
    doc = "A tool whose bundle is there already: the same as `ts_tool`, without what makes a bundle.",
    attrs = {
        "main": attr.label(mandatory = True, allow_single_file = True, doc = "The module that starts."),
        "chunks": attr.label_list(allow_files = True, doc = "Further modules of the bundle, beside it."),
        "data": attr.label_list(allow_files = True, doc = "Files that the tool finds in its runfiles."),
        "siblings": attr.label_list(providers = [TsToolInfo], doc = "Tools in one file, in the same package, that it imports as modules by `./NAME.mjs` when it needs them."),
    },
    executable = True,
    toolchains = [NODE_TOOL_TOOLCHAIN],
)
