"""The provider of Slipway's own tools."""

TsToolInfo = provider(
    doc = "A bundled tool, for rules that start it with their own script.",
    fields = {
        "main": "File: the module that starts; for a split bundle, its folder.",
        "entry": "string: path of the module below `main`; empty if `main` is the module.",
        "siblings": "list of Files: modules that it imports at run time from its own folder.",
        "node": "File: the Node binary that runs it.",
    },
)
