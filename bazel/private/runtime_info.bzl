"""The runtime of a program."""

# Where the runfiles of a program for Node have it: the same for every platform, so that what names it is the same too.
NODE_PATH = "slipway_node/node"

RuntimeInfo = provider(
    doc = "The part of a program's runfiles that all programs for Node have in common.",
    fields = {
        "file": "File: the Node of `//bazel/toolchains:node_runtime_type`.",
    },
)
