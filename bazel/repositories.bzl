"""What MODULE.bazel brings, for a WORKSPACE file."""

load("//bazel/private/debian:debian_repository.bzl", _debian_image = "debian_image")
load("//bazel/private/debian:default_bases.bzl", "DEFAULT_BASES")
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

    `platforms` and `bazel_skylib` come from the WORKSPACE file, before this call; Slipway's repository is called `slipway` there.
    """
    slipway_tool_repositories()
    native.register_toolchains("@slipway//bazel/toolchains:all")

def base_images(mirror = ""):
    """Declares the base images that Slipway brings.

    They are `@worker_base//image`, the default, `@worker_cuda//image`, `@slim_base//image`, `@sematic_base//image` and `@sematic_cuda//image`. One that is not built on is not fetched.

    Args:
      mirror: string, address of a Debian mirror, `https://HOST/debian`. Default: the one that the machine's apt sources name.
    """
    for name, base in DEFAULT_BASES.items():
        debian_image(name = name, locks = base.locks, env = base.env, layers = base.layers, allow_newer = True, mirror = mirror)
