"""A tool of Slipway's own."""

TsToolInfo = provider(
    doc = "A bundled tool, for rules that start it by a script of their own.",
    fields = {
        "main": "File: the module to start; for a split bundle, its folder.",
        "entry": "string: path of the module below `main`, empty when `main` is the module.",
        "siblings": "list of Files: modules that it imports at run time from the folder in which it is.",
        "node": "File: the Node that runs it.",
    },
)
