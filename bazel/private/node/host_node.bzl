"""Node for the machine that Bazel runs on, in repository rules."""

_OS = {"linux": "linux", "mac os x": "macos"}
_CPU = {"aarch64": "aarch64", "amd64": "x86_64", "arm64": "aarch64", "x86_64": "x86_64"}

def host_node(rctx):
    """The pinned Node, for tools that run before anything is built.

    Args:
      rctx: the repository context.

    Returns:
      path.
    """
    os = _OS.get(rctx.os.name)
    cpu = _CPU.get(rctx.os.arch)
    if not os or not cpu:
        fail("{}: Slipway brings no Node for {} on {}.\nRun Bazel on Linux or macOS, x86_64 or aarch64.".format(rctx.name, rctx.os.name, rctx.os.arch))

    # Bazel hashes a file that a label names whenever its server starts, to see whether the repository is up to date: of Node 120 MB. The lock
    # tells as well which Node it is.
    rctx.watch(Label(":pnpm-lock.yaml"))
    return rctx.path(Label("@slipway_node_{}_{}//:BUILD.bazel".format(os, cpu))).dirname.get_child("node")
