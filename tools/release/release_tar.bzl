"""Compressed tar files for releases. Like image layers, they are sorted and have no owners or times."""

load("//bazel/private:build_tool.bzl", "BUILD_TOOL_TOOLCHAIN", "build_tool_args", "run_build_tool")  # buildifier: disable=bzl-visibility

def _release_tar_impl(ctx):
    output = ctx.actions.declare_file(ctx.attr.out)
    metadata = ctx.actions.declare_file(ctx.attr.out + ".json")
    prefix = ctx.attr.prefix
    strip = ctx.attr.strip

    def placed(file):
        return prefix + "/" + file.short_path.removeprefix(strip)

    def source(file):
        return json.encode(["file", placed(file), file.path])

    def member(file):
        return json.encode(["file", prefix + "/" + file.tree_relative_path, file.path])

    args = build_tool_args(ctx, "layer")
    args.add(output, format = "--output=%s")
    args.add(metadata, format = "--metadata=%s")
    args.add("--compression=gzip")
    args.add("--comment=release")
    args.add_all(ctx.files.srcs, map_each = source, allow_closure = True)
    args.add_all(ctx.files.trees, map_each = member, allow_closure = True)
    for target, path in ctx.attr.renamed.items():
        args.add(json.encode(["file", prefix + "/" + path, target[DefaultInfo].files.to_list()[0].path]))
    run_build_tool(
        ctx,
        args,
        inputs = depset(ctx.files.srcs + ctx.files.renamed + ctx.files.trees),
        outputs = [output, metadata],
        mnemonic = "ReleaseTar",
        progress_message = "Packing %{output}",
    )
    return [DefaultInfo(files = depset([output]))]

release_tar = rule(
    implementation = _release_tar_impl,
    doc = "A .tar.gz with files in one folder.",
    attrs = {
        "out": attr.string(mandatory = True, doc = "Name of the .tar.gz."),
        "prefix": attr.string(mandatory = True, doc = "The folder in the .tar.gz."),
        "renamed": attr.label_keyed_string_dict(allow_files = True, doc = "Single files to their paths in the folder."),
        "srcs": attr.label_list(allow_files = True, doc = "Files that keep their paths in the repository."),
        "strip": attr.string(doc = "A prefix to remove from the paths of `srcs`. Default: none."),
        "trees": attr.label_list(doc = "Directories whose content goes into the folder itself."),
    },
    toolchains = [BUILD_TOOL_TOOLCHAIN],
)
