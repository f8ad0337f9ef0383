"""Slipway's own tools in a release, as ready-made bundles."""

load("//bazel/private/node:node_toolchain.bzl", "NODE_TOOL_TOOLCHAIN")
load(":tool_providers.bzl", "tool_providers")
load(":ts_tool_info.bzl", "TsToolInfo")

def _prebuilt_tool_impl(ctx):
    return tool_providers(ctx, ctx.file.main, chunks = [file for file in ctx.files.chunks if file != ctx.file.main])

prebuilt_tool = rule(
    implementation = _prebuilt_tool_impl,
    doc = "A tool with a ready-made bundle: `ts_tool` without the bundling action.",
    attrs = {
        "main": attr.label(mandatory = True, allow_single_file = True, doc = "The module that starts."),
        "chunks": attr.label_list(allow_files = True, doc = "Further modules of the bundle, in the same folder."),
        "data": attr.label_list(allow_files = True, doc = "Files that the tool finds in its runfiles."),
        "siblings": attr.label_list(providers = [TsToolInfo], doc = "Single-file tools of the same package that this tool imports as `./NAME.mjs` on demand."),
    },
    executable = True,
    toolchains = [NODE_TOOL_TOOLCHAIN],
)
