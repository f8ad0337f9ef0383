"""The provider of a Node program's runtime."""

# The path of Node in the runfiles of Node programs. It is the same for every platform, so launchers are too.
NODE_PATH = "slipway_node/node"

RuntimeInfo = provider(
    doc = "The runfile that all Node programs have in common.",
    fields = {
        "file": "File: the Node binary of `//bazel/toolchains:node_runtime_type`.",
    },
)
