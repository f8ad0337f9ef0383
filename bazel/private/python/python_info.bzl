"""The provider of Python modules, for programs without rules_python."""

PythonInfo = provider(
    doc = "The import folders of Python modules.",
    fields = {
        "imports": "depset of string: folders, as paths in the runfiles.",
        "versions": "depset of string: the Python versions (`3.11`) that the modules need; empty if any version works.",
    },
)
