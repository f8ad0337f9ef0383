"""Actions of the release tool."""

load("//bazel/private:version.bzl", "VERSION")  # buildifier: disable=bzl-visibility

def _release_action_impl(ctx):
    name = ctx.attr.out
    output = ctx.actions.declare_file(name) if name else ctx.actions.declare_directory(ctx.label.name)
    args = ctx.actions.args()
    args.add_all([ctx.attr.command, VERSION])
    args.add_all([output], expand_directories = False)
    files = [file for file in ctx.files.inputs if not ctx.attr.names or [name for name in ctx.attr.names if file.basename.upper().startswith(name)]]
    args.add_all(files, expand_directories = False)
    ctx.actions.run(
        executable = ctx.executable._tool,
        arguments = [args],
        inputs = files,
        outputs = [output],
        mnemonic = "Release",
        progress_message = "Making %{output}",
    )
    return [DefaultInfo(files = depset([output]))]

release_action = rule(
    implementation = _release_action_impl,
    doc = "Runs `tool COMMAND VERSION OUTPUT FILE…`.",
    attrs = {
        "command": attr.string(mandatory = True, doc = "The tool's command (main.ts)."),
        "names": attr.string_list(doc = "Prefixes of the names of `inputs` to keep, in capitals. Default: keep all."),
        "out": attr.string(doc = "Name of the output file. Default: the output is a directory."),
        "inputs": attr.label_list(allow_files = True, mandatory = True, doc = "The command's input files, in this order. Not `srcs`, because formatters would sort those."),
        "_tool": attr.label(default = Label(":tool"), executable = True, cfg = "exec"),
    },
)
