"""Node for the machine that Bazel runs on, in repository rules."""

load(":node_repository.bzl", "NODE_PLATFORMS")

_OS = {"linux": "linux", "mac os x": "macos"}
_CPU = {"aarch64": "aarch64", "amd64": "x86_64", "arm64": "aarch64", "x86_64": "x86_64"}

def host_node(rctx):
    """The pinned Node, for tools that run before anything is built.

    Args:
      rctx: the repository context.

    Returns:
      path.
    """
    platform = "{}_{}".format(_OS.get(rctx.os.name), _CPU.get(rctx.os.arch))
    if platform not in NODE_PLATFORMS:
        fail("{}: Slipway brings no Node for {} on {}.\nRun Bazel on Linux or macOS, x86_64 or aarch64.".format(rctx.name, rctx.os.name, rctx.os.arch))

    # Bazel hashes a file that a label names whenever its server starts, to see whether the repository is up to date: of Node 120 MB. So the label names
    # the file beside it. The version is in the file loaded above, and Bazel compares that too.
    return rctx.path(Label("@slipway_node_{}//:BUILD.bazel".format(platform))).dirname.get_child("node")
