"""A program whose files are sorted by how often they change."""

ProgramInfo = provider(
    doc = """The runfiles of an executable, sorted by rate of change, so that each part becomes an image layer of its own.

A rule that does not give it works too: its runfiles are then sorted by where each file comes from.
""",
    fields = {
        "runtime": "File or None: the Node of `//bazel/toolchains:node_runtime_type`. Its layer is shared by all programs.",
        "third_party": "depset of File: packages of others.",
        "first_party": "depset of File: the program.",
        "root_symlinks": "dict of string to File: first-party files at a path of their own below the runfiles folder.",
    },
)
