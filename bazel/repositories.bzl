"""What MODULE.bazel brings, for a WORKSPACE file."""

load("//bazel/private/extensions:toolchains.bzl", "slipway_tool_repositories")
load("//bazel/private/image:layout_repository.bzl", _layout_image = "layout_repository")
load("//bazel/private/npm:npm_repository.bzl", _npm_packages = "npm_repository")

layout_image = _layout_image
npm_packages = _npm_packages

def slipway_dependencies():
    """Declares Slipway's own tools and registers its toolchains.

    `platforms` and `bazel_skylib` come from the WORKSPACE file, before this call.
    """
    slipway_tool_repositories()
    native.register_toolchains("@slipway//bazel/toolchains:all")
