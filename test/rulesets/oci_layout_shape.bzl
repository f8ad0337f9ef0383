"""Rules with the shape of rules_oci's images."""

load("//bazel/private/node:node_toolchain.bzl", "NODE_TOOL_TOOLCHAIN")  # buildifier: disable=bzl-visibility

def _write(ctx, arguments, inputs):
    # rules_oci names the folder like the target.
    output = ctx.actions.declare_directory(ctx.label.name)
    node = ctx.toolchains[NODE_TOOL_TOOLCHAIN].slipway_node.node
    ctx.actions.run(
        executable = node,
        arguments = [ctx.file._writer.path, output.path] + arguments,
        inputs = depset([ctx.file._writer], transitive = inputs),
        outputs = [output],
        mnemonic = "OciLayoutShape",
    )
    return output

def _oci_image_shape_impl(ctx):
    needed = [depset(ctx.files.tars)]
    if ctx.attr.base:
        needed += [ctx.attr.base[DefaultInfo].files, ctx.attr.base[DefaultInfo].default_runfiles.files]
    output = _write(
        ctx,
        ["image", ctx.file.base.path if ctx.attr.base else "-"] + [tar.path for tar in ctx.files.tars],
        needed,
    )
    return [DefaultInfo(files = depset([output]), runfiles = ctx.runfiles(transitive_files = depset(transitive = needed)))]

_WRITER = {"_writer": attr.label(default = ":oci-layout-shape.mjs", allow_single_file = True)}

oci_image_shape = rule(
    implementation = _oci_image_shape_impl,
    doc = "A layout without a platform. Its layers, and the base's blobs, are links to files outside the folder, which are its runfiles.",
    attrs = {
        "base": attr.label(allow_single_file = True, doc = "A layout. Default: an image of linux/amd64 from scratch."),
        "tars": attr.label_list(allow_files = True, doc = "Layers."),
    } | _WRITER,
    toolchains = [NODE_TOOL_TOOLCHAIN],
)

def _oci_image_index_shape_impl(ctx):
    needed = [info for image in ctx.attr.images for info in [image[DefaultInfo].files, image[DefaultInfo].default_runfiles.files]]
    return [DefaultInfo(files = depset([_write(ctx, ["index"] + [image.path for image in ctx.files.images], needed)]))]

oci_image_index_shape = rule(
    implementation = _oci_image_index_shape_impl,
    doc = "A layout with an index of the images and their blobs.",
    attrs = {"images": attr.label_list(allow_files = True, doc = "Layouts of one image each.")} | _WRITER,
    toolchains = [NODE_TOOL_TOOLCHAIN],
)
