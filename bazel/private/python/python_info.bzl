"""Python modules of programs that do without rules_python."""

PythonInfo = provider(
    doc = "Where Python finds modules.",
    fields = {
        "imports": "depset of string: folders, as paths in the runfiles.",
        "versions": "depset of string: the versions of Python (`3.11`) that these modules are for; empty for those of any version.",
    },
)
