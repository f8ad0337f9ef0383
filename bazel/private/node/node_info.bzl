"""What a Node toolchain gives."""

NodeInfo = provider(
    doc = "A Node binary.",
    fields = {
        "node": "File: the `node` executable. It needs nothing beside it.",
    },
)
