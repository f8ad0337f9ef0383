"""What all run targets have in common."""

RunToolsInfo = provider(
    doc = "The launcher and what it needs, and the build settings of run targets.",
    fields = {
        "command": "list of strings: words of the command that starts the launcher; `{runfiles}` stands for the runfiles folder. The path of a request follows.",
        "engine_helper": "File: the executable that starts engines for programs.",
        "engine_runfiles": "runfiles: with which a run target of a program carries it.",
        "registry_server": "File: the embedded registry's bundle.",
        "files": "depset of File: what a run target carries for them.",
        "registry": "string: the build setting `registry`.",
        "stamp": "bool: whether the build is stamped (`--stamp`).",
        "repository_prefix": "string: the build setting `repository_prefix`.",
    },
)
