"""The provider of a Node toolchain."""

NodeInfo = provider(
    doc = "The Node binary of a toolchain.",
    fields = {
        "node": "File: the `node` executable. It needs no other files.",
    },
)
