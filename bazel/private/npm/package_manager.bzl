"""The package managers that install lock files."""

load("//bazel/private/node:host_node.bzl", "host_npm")
load(":download.bzl", "download_npm_package")

# `integrity` is the registry's: `npm view NAME@VERSION dist.integrity`.
_PACKAGE_MANAGERS = {
    "npm": struct(
        version = "11.21.2",
        integrity = "sha512-7HPApk+AflMUavSseL1Pm6CnYqMIHk53x+KmuhqmTDqPkjPMgxIpTPcTqsE91EKNw4gFBJV9fnXiSdGm1DXq9A==",
        script = "bin/npm-cli.js",
    ),
    "pnpm": struct(
        version = "10.34.8",
        integrity = "sha512-9ieo6XE0Ov5J39D2PQKCNCAd+oMdXLWIcz4eX42ya/FpiaMhYatcG02zsf28NzFgYGtbieAC323RmoWt+R/FqA==",
        script = "bin/pnpm.cjs",
    ),
}

def _package_manager_impl(rctx):
    pin = _PACKAGE_MANAGERS[rctx.attr.package]
    problem = download_npm_package(rctx, rctx.attr.package, pin.version, pin.integrity, npm = host_npm(rctx))
    if problem:
        fail("{}: npm could not download {} {}: {}\nCheck the registry of your npm configuration: `npm config get registry`.".format(rctx.name, rctx.attr.package, pin.version, problem))
    rctx.file("BUILD.bazel", "")
    return rctx.repo_metadata(reproducible = True) if hasattr(rctx, "repo_metadata") else None

_package_manager = repository_rule(
    implementation = _package_manager_impl,
    doc = "A package manager at its pinned version.",
    attrs = {"package": attr.string(mandatory = True, values = _PACKAGE_MANAGERS.keys(), doc = "`npm` or `pnpm`.")},
)

def package_managers():
    """Declares the package managers. Bazel fetches one when it installs a lock file of its format."""
    for name in _PACKAGE_MANAGERS:
        _package_manager(name = "slipway_tool_{}".format(name), package = name)

def package_manager_script(rctx, name):
    """A package manager, for the pinned Node.

    Args:
      rctx: the repository context.
      name: string, `npm` or `pnpm`.

    Returns:
      path of the module to run.
    """
    folder = rctx.path(Label("@slipway_tool_{}//:BUILD.bazel".format(name))).dirname
    return folder.get_child(*_PACKAGE_MANAGERS[name].script.split("/"))
