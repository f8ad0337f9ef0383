"""A rule with the shape of rules_js' js_binary."""

load("@bazel_skylib//rules:common_settings.bzl", "BuildSettingInfo")

# Like js_binary's launcher, it follows links to itself to find its runfiles. Outside Bazel's output tree it assumes that it is a build action.
_LAUNCHER = """#!/bin/sh
set -eu
case $PWD in
  */bazel-out/*) ;;
  *) cd "${{BAZEL_BINDIR:?must be set in a build action}}" ;;
esac
self=$0
while [ -L "$self" ]; do
  case $self in *.runfiles/*) break ;; esac
  link=$(readlink "$self")
  case $link in
    /*) self=$link ;;
    *) self=${{self%%/*}}/$link ;;
  esac
done
case $self in
  *.runfiles/*) runfiles=${{self%%.runfiles/*}}.runfiles ;;
  *) runfiles=$self.runfiles ;;
esac
exec "$runfiles/_main/{node}" --require "$runfiles/_main/{bootstrap}" "$runfiles/_main/{entry_point}" "$@"
"""

def node_in_image(cpu):
    """The path of Node in the image of such a program."""
    return "/app/main.runfiles/{}/node".format(Label("@slipway_node_linux_{}//:node".format(cpu)).repo_name)

def _js_binary_shape_impl(ctx):
    edited = ctx.attr._edited[BuildSettingInfo].value

    def text(name, content):
        return content + ("// edited\n" if name == edited else "")

    store = "node_modules/.aspect_rules_js/"
    files = []
    for name, version in ctx.attr.packages.items():
        package = name.replace("/", "+") + "@" + version
        content = ctx.actions.declare_file("{}.{}.js".format(ctx.label.name, package))
        ctx.actions.write(content, text(name, "export const name = \"{}\";\n".format(name)))
        tree = ctx.actions.declare_directory("{}{}/node_modules/{}".format(store, package, name))
        ctx.actions.run_shell(
            inputs = [content],
            outputs = [tree],
            arguments = [content.path, tree.path, name],
            command = "cp \"$1\" \"$2/index.js\" && echo '{\"name\": \"'$3'\", \"type\": \"module\", \"exports\": \"./index.js\"}' >\"$2/package.json\"",
        )
        up = "../" * name.count("/")
        link = ctx.actions.declare_symlink("node_modules/" + name)
        ctx.actions.symlink(output = link, target_path = "{}.aspect_rules_js/{}/node_modules/{}".format(up, package, name))
        files += [tree, link]
        for needed in ctx.attr.dependencies.get(name, []):
            link = ctx.actions.declare_symlink("{}{}/node_modules/{}".format(store, package, needed))
            other = needed.replace("/", "+") + "@" + ctx.attr.packages[needed]
            ctx.actions.symlink(output = link, target_path = "../" * (2 + needed.count("/")) + "{}/node_modules/{}".format(other, needed))
            files.append(link)
    for source in ctx.files.srcs:
        # The copy has the same runfiles path as the source.
        copy = ctx.actions.declare_file(source.basename)
        ctx.actions.run_shell(
            inputs = [source],
            outputs = [copy],
            arguments = [source.path, copy.path, text(source.basename, "")],
            command = "cp \"$1\" \"$2\" && printf %s \"$3\" >>\"$2\"",
        )
        files += [source, copy]

    node = ctx.toolchains["//bazel/toolchains:node_runtime_type"].slipway_node.node
    launcher = ctx.actions.declare_file("{0}_/{0}".format(ctx.label.name))
    ctx.actions.write(
        launcher,
        _LAUNCHER.format(
            node = node.short_path,
            bootstrap = ctx.file._bootstrap.short_path,
            entry_point = "{}/{}".format(ctx.label.package, ctx.attr.entry_point),
        ),
        is_executable = True,
    )
    return [DefaultInfo(
        executable = launcher,
        runfiles = ctx.runfiles(files + [node, launcher, ctx.file._bootstrap]),
    )]

js_binary_shape = rule(
    implementation = _js_binary_shape_impl,
    executable = True,
    doc = """A program with the parts of a js_binary.

It has a launcher script; sources and, at the same runfiles path, their copies in the output tree; a package store of tree artifacts and declared
links; a toolchain's Node; a file of the repository aspect_rules_js.
""",
    attrs = {
        "entry_point": attr.string(mandatory = True, doc = "Name of the source that starts."),
        "srcs": attr.label_list(allow_files = True, doc = "Sources of this package."),
        "packages": attr.string_dict(doc = "Packages in the store to their versions. 0.0.0 marks the workspace's own packages."),
        "dependencies": attr.string_list_dict(doc = "Package to the packages that it imports."),
        "_bootstrap": attr.label(default = "@aspect_rules_js//:js/private/bootstrap.cjs", allow_single_file = True),
        "_edited": attr.label(default = ":edited"),
    },
    toolchains = ["//bazel/toolchains:node_runtime_type"],
)
