"""The runtime of a program."""

RuntimeInfo = provider(
    doc = "The part of a program's runfiles that all programs for Node have in common.",
    fields = {
        "file": "File: the Node of `//bazel/toolchains:node_runtime_type`.",
    },
)
