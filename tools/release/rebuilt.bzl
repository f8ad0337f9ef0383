"""Builds a target again in other folders, to find bytes that depend on the folder."""

def _other_folders_impl(_settings, _attr):
    return {"//command_line_option:compilation_mode": "opt"}

_other_folders = transition(
    implementation = _other_folders_impl,
    inputs = [],
    outputs = ["//command_line_option:compilation_mode"],
)

def _rebuilt_impl(ctx):
    copies = []
    for file in ctx.files.targets:
        copy = ctx.actions.declare_file("{}/{}".format(ctx.label.name, file.short_path.removeprefix(ctx.label.package + "/")))
        ctx.actions.symlink(output = copy, target_file = file)
        copies.append(copy)
    return [DefaultInfo(files = depset(copies))]

rebuilt = rule(
    implementation = _rebuilt_impl,
    doc = "Links `NAME/FILE` to the files of targets, built a second time.",
    attrs = {
        "targets": attr.label_list(mandatory = True, cfg = _other_folders, doc = "The targets to build again."),
        "_allowlist_function_transition": attr.label(default = "@bazel_tools//tools/allowlists/function_transition_allowlist"),
    },
)
