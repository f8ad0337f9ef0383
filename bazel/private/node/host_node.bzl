"""Node for repository rules, on the host."""

load(":node_repository.bzl", "NODE_PLATFORMS")

_OS = {"linux": "linux", "mac os x": "macos"}
_CPU = {"aarch64": "aarch64", "amd64": "x86_64", "arm64": "aarch64", "x86_64": "x86_64"}

def host_node(rctx):
    """The pinned Node, for tools of repository rules.

    Args:
      rctx: the repository context.

    Returns:
      path.
    """
    platform = "{}_{}".format(_OS.get(rctx.os.name), _CPU.get(rctx.os.arch))
    if platform not in NODE_PLATFORMS:
        fail("{}: Slipway has no Node for {} on {}.\nRun Bazel on Linux or macOS, x86_64 or aarch64.".format(rctx.name, rctx.os.name, rctx.os.arch))

    # Not a label of `node` itself: Bazel would hash its 120 MB at each server start, to check the repository. A new version changes the .bzl file
    # loaded above, which Bazel checks too.
    return rctx.path(Label("@slipway_node_{}//:BUILD.bazel".format(platform))).dirname.get_child("node")

def host_npm(rctx):
    """The npm that Node's release contains, for machines without npm.

    Args:
      rctx: the repository context.

    Returns:
      list of path, the command; None if Node came as an npm package, which has no npm.
    """
    node = host_node(rctx)
    npm = node.dirname.get_child("npm", "bin", "npm-cli.js")
    return [node, npm] if npm.exists else None
