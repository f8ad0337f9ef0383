"""The rule behind an image for several platforms."""

load("//bazel/private:build_tool.bzl", "BUILD_TOOL_TOOLCHAIN", "build_tool_args", "run_build_tool")
load("//bazel/private/run:request.bzl", "REQUEST_ATTRS", "load_target")
load(":image.bzl", "image_output_groups")
load(":image_index_info.bzl", "ImageIndexInfo")
load(":image_info.bzl", "ImageInfo")
load(":provenance.bzl", "write_provenance")
load(":stamp.bzl", "STAMP_ATTRS")

def _each_platform_impl(_settings, attr):
    return {str(platform): {"//command_line_option:platforms": [platform]} for platform in attr.platforms}

_each_platform = transition(
    implementation = _each_platform_impl,
    inputs = [],
    outputs = ["//command_line_option:platforms"],
)

def _image_index_impl(ctx):
    images = [ctx.split_attr.image[str(platform.label)][ImageInfo] for platform in ctx.attr.platforms]
    index = ctx.actions.declare_file(ctx.label.name + ".index.json")
    descriptor = ctx.actions.declare_file(ctx.label.name + ".descriptor.json")
    args = build_tool_args(ctx, "index")
    args.add(index, format = "--index=%s")
    args.add(descriptor, format = "--descriptor=%s")
    args.add_all([image.descriptor for image in images], format_each = "--image=%s")
    run_build_tool(
        ctx,
        args,
        inputs = [image.descriptor for image in images],
        outputs = [index, descriptor],
        mnemonic = "ImageIndex",
        progress_message = "Composing image %{label} for its platforms",
    )
    provenance = write_provenance(
        ctx,
        ctx.label.name,
        descriptor,
        bases = {base: True for image in images for base in image.bases}.keys(),
        locks = depset(transitive = [image.locks for image in images]),
    )
    info = ImageIndexInfo(descriptor = descriptor, manifest = index, images = images, provenance = provenance.file, referrers = provenance.referrers)

    run = load_target(ctx, info)
    files = [descriptor, index] + [file for image in images for file in [image.descriptor, image.manifest, image.config]]
    return [
        DefaultInfo(executable = run.executable, files = depset(files), runfiles = run.runfiles),
        info,
        OutputGroupInfo(**image_output_groups(ctx, info)),
    ]

image_index = rule(
    implementation = _image_index_impl,
    executable = True,
    doc = "An image for several platforms, as one OCI image index. `bazel run` loads the image for this machine.",
    attrs = {
        "image": attr.label(mandatory = True, providers = [ImageInfo], cfg = _each_platform, doc = "The image. It must not set a platform itself."),
        "platforms": attr.label_list(mandatory = True, allow_empty = False, providers = [platform_common.PlatformInfo], doc = "The platforms."),
    } | REQUEST_ATTRS | STAMP_ATTRS,
    toolchains = [BUILD_TOOL_TOOLCHAIN],
)
