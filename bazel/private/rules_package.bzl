"""The targets of a package with rules."""

load("@bazel_skylib//:bzl_library.bzl", "bzl_library")
load(":all_sources.bzl", "all_sources")

def rules_package():
    """Declares `bzl`, the package's Starlark files for `//bazel:private`, and `sources`, all its files."""
    bzl_library(
        name = "bzl",
        srcs = native.glob(["*.bzl"]),
        visibility = ["//bazel:__pkg__"],
    )
    all_sources()
