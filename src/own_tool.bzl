"""Slipway's own tools, from the modules that they import."""

load("//bazel/private/ts:ts_tool.bzl", "ts_tool")  # buildifier: disable=bzl-visibility
load("//tools/imports:modules.bzl", "modules_of")

def own_tool(name, entry_point, srcs = [], without = [], **kwargs):
    """Bundles a tool with what its entry point imports.

    Args:
      name: name of the target.
      entry_point: label of the module that starts.
      srcs: further files that are bundled.
      without: labels of modules that are tools of their own.
      **kwargs: further attributes of `ts_tool`.
    """
    needed = modules_of([entry_point], without = without)
    ts_tool(
        name = name,
        srcs = needed.modules + srcs,
        entry_point = entry_point,
        deps = ["@slipway_npm//:" + package for package in needed.packages],
        **kwargs
    )
