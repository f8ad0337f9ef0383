"""Node for one platform, from the npm package that carries it."""

load("//bazel/private/npm:pnpm.bzl", "pnpm_install")

# Bazel's names of a platform, and Node's.
NODE_PLATFORMS = {
    "linux_x86_64": struct(os = "linux", cpu = "x86_64", node_os = "linux", node_cpu = "x64"),
    "linux_aarch64": struct(os = "linux", cpu = "aarch64", node_os = "linux", node_cpu = "arm64"),
    "macos_x86_64": struct(os = "macos", cpu = "x86_64", node_os = "darwin", node_cpu = "x64"),
    "macos_aarch64": struct(os = "macos", cpu = "aarch64", node_os = "darwin", node_cpu = "arm64"),
}

_WORKSPACE = """nodeLinker: hoisted
supportedArchitectures:
  os: [{os}]
  cpu: [{cpu}]
"""

_BUILD = """load("{node_toolchain}", "node_toolchain")

exports_files(["node"])

node_toolchain(
    name = "toolchain",
    node = "node",
    visibility = ["//visibility:public"],
)
"""

def _node_repository_impl(rctx):
    platform = NODE_PLATFORMS[rctx.attr.platform]
    rctx.symlink(rctx.attr._package_json, "install/package.json")
    rctx.symlink(rctx.attr._pnpm_lock, "install/pnpm-lock.yaml")
    rctx.file("install/pnpm-workspace.yaml", _WORKSPACE.format(os = platform.node_os, cpu = platform.node_cpu))
    pnpm_install(rctx, folder = "install")
    binaries = [
        package.get_child("bin").get_child("node")
        for package in rctx.path("install/node_modules").readdir()
        if package.get_child("bin").get_child("node").exists
    ]
    if len(binaries) != 1:
        fail("{}: {} of the packages in bazel/private/node/package.json carry Node for {}; exactly one must.".format(rctx.name, len(binaries), rctx.attr.platform))
    rctx.execute(["mv", binaries[0], "node"])
    rctx.delete("install")
    rctx.file("BUILD.bazel", _BUILD.format(node_toolchain = Label("//bazel/private/node:node_toolchain.bzl")))
    return rctx.repo_metadata(reproducible = True) if hasattr(rctx, "repo_metadata") else None

node_repository = repository_rule(
    implementation = _node_repository_impl,
    doc = "Node for one platform: `node` and a `toolchain` of it. The version is pinned, with its integrity, in bazel/private/node/pnpm-lock.yaml.",
    attrs = {
        "platform": attr.string(mandatory = True, values = NODE_PLATFORMS.keys(), doc = "The platform that the binary runs on."),
        "_package_json": attr.label(default = Label(":package.json"), allow_single_file = True),
        "_pnpm_lock": attr.label(default = Label(":pnpm-lock.yaml"), allow_single_file = True),
    },
)
