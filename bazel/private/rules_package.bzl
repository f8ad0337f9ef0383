"""The targets of a package with rules."""

load("@bazel_skylib//:bzl_library.bzl", "bzl_library")

def rules_package():
    """Declares `bzl`, the package's Starlark files for `//bazel:private`, and `sources`, all its files."""
    bzl_library(
        name = "bzl",
        srcs = native.glob(["*.bzl"]),
        visibility = ["//bazel:__pkg__"],
    )
    native.filegroup(
        name = "sources",
        srcs = native.glob(["*"]),
        visibility = ["//:__pkg__"],
    )
