"""Repository rules and macros for a WORKSPACE file. With bzlmod, use the module extensions instead."""

load("//bazel/private/debian:debian_repository.bzl", _debian_image = "debian_image")
load("//bazel/private/debian:default_bases.bzl", "declare_default_bases")
load("//bazel/private/extensions:toolchains.bzl", "slipway_tool_repositories")
load("//bazel/private/image:layout_repository.bzl", _layout_image = "layout_repository")
load("//bazel/private/image:pull_repository.bzl", _pull_image = "pull_repository")
load("//bazel/private/npm:npm_repository.bzl", _npm_packages = "npm_repository")
load("//bazel/private/python:packages_repository.bzl", _python_packages = "python_packages")

debian_image = _debian_image
layout_image = _layout_image
npm_packages = _npm_packages
pull_image = _pull_image
python_packages = _python_packages

def slipway_dependencies():
    """Declares Slipway's own tools and registers its toolchains.

    Before this call, your WORKSPACE file declares `bazel_skylib`, `platforms` and, under the name `slipway`, Slipway itself.
    """
    slipway_tool_repositories()
    native.register_toolchains("@slipway//bazel/toolchains:all")

def base_images(mirror = ""):
    """Declares Slipway's default base images.

    They are `@worker_base//image` (the default base), `@worker_cuda//image`, `@slim_base//image`, `@sematic_base//image` and `@sematic_cuda//image`.
    Bazel fetches only those that your build uses.

    Args:
      mirror: string, address of a Debian mirror, `https://HOST/debian`. Default: the mirror in the machine's apt sources.
    """
    declare_default_bases(mirror = mirror)
