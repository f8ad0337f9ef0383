"""A program with every kind of runfile."""

_TREE = """
cd "$1"
mkdir sub
echo file >file
ln -s file link
ln -s ../file sub/up
ln -s sub folder
ln -s /etc/passwd absolute
"""

def _odd_program_impl(ctx):
    folder = ctx.label.name + ".files/"
    script = ctx.actions.declare_file(ctx.label.name)
    ctx.actions.write(script, "#!/bin/sh\nexec true\n", is_executable = True)
    generated = ctx.actions.declare_file(folder + "generated.txt")
    ctx.actions.run_shell(
        outputs = [generated, ctx.actions.declare_file(folder + "target.txt")],
        arguments = [generated.path],
        # The action makes a link, but Bazel declares a file.
        command = "echo target >\"${1%/*}\"/target.txt; ln -s target.txt \"$1\"",
    )
    dangling = ctx.actions.declare_symlink(folder + "dangling")
    ctx.actions.symlink(output = dangling, target_path = "../nowhere/to be found")
    package = ctx.actions.declare_symlink(folder + "node_modules/package")
    ctx.actions.symlink(output = package, target_path = ".store/package")
    tree = ctx.actions.declare_directory(folder + "tree")
    ctx.actions.run_shell(outputs = [tree], arguments = [tree.path], command = _TREE)
    files = [script, generated, dangling, package, tree]
    runfiles = ctx.runfiles(
        files,
        transitive_files = depset(transitive = [target[DefaultInfo].files for target in ctx.attr.data]),
        symlinks = {"named/by/symlinks.txt": generated},
        root_symlinks = {"rooted/text.txt": generated},
    )
    return [DefaultInfo(executable = script, files = depset([script]), runfiles = runfiles)]

odd_program = rule(
    implementation = _odd_program_impl,
    executable = True,
    attrs = {"data": attr.label_list(allow_files = True, doc = "Further files.")},
    doc = "An executable whose runfiles have links, folders, renamed files and files of other repositories.",
)

def _runtime_file_impl(ctx):
    return [DefaultInfo(files = depset([ctx.toolchains["//bazel/toolchains:node_runtime_type"].slipway_node.node]))]

runtime_file = rule(
    implementation = _runtime_file_impl,
    toolchains = ["//bazel/toolchains:node_runtime_type"],
    doc = "A file in the repository of a runtime.",
)
