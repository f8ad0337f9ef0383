"""The runtime of a program."""

RuntimeInfo = provider(
    doc = "The part of a program's runfiles that many programs have in common, and the image layers with it, which all of them share.",
    fields = {
        "file": "File: for example the Node of `//bazel/toolchains:node_runtime_type`.",
        "layers": "list of struct(metadata = File, blob = File): the layers with that file.",
    },
)
