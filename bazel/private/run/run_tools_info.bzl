"""The provider of the tools that all run targets share."""

RunToolsInfo = provider(
    doc = "The launcher with its files, and the build settings of run targets.",
    fields = {
        "command": "list of strings: words of the command that starts the launcher; `{runfiles}` stands for the runfiles folder. The path of a request follows.",
        "engine_helper": "File: the executable that talks to engines for launch scripts.",
        "engine_runfiles": "runfiles: the engine helper with its runfiles, for run targets with a program.",
        "registry_server": "File: the embedded registry's bundle.",
        "files": "depset of File: the files of the launcher and the registry, for every run target.",
        "registry": "string: the build setting `registry`.",
        "remote_cache": "string: the build setting `remote_cache`. Empty: run targets carry their layers.",
        "stamp": "bool: whether the build is stamped (`--stamp`).",
        "repository_prefix": "string: the build setting `repository_prefix`.",
    },
)
