"""Files of a set that a test reads, so that an edit of another does not run it."""

TYPESCRIPT = [
    ".json",
    ".mjs",
    ".mts",
    ".ts",
]

def _selected_files_impl(ctx):
    files = [
        file
        for target in ctx.attr.srcs
        for file in target[DefaultInfo].files.to_list()
        if any([file.basename.endswith(ending) for ending in ctx.attr.endings]) and
           not any([file.basename.endswith(ending) for ending in ctx.attr.without])
    ]
    return [DefaultInfo(files = depset(files))]

selected_files = rule(
    implementation = _selected_files_impl,
    doc = "The files whose names have one of some endings.",
    attrs = {
        "srcs": attr.label_list(allow_files = True, mandatory = True, doc = "The set."),
        "endings": attr.string_list(mandatory = True, doc = "Endings of names."),
        "without": attr.string_list(doc = "Endings of names that are left out all the same."),
    },
)
