"""Images from outside the build."""

load("//bazel/private:build_tool.bzl", "BUILD_TOOL_TOOLCHAIN")
load(":image.bzl", "image_output_groups")
load(":image_info.bzl", "ImageInfo")

def _image_import_impl(ctx):
    blobs = {file.basename: file for file in ctx.files.blobs}
    image = ImageInfo(
        descriptor = ctx.file.descriptor,
        manifest = ctx.file.manifest,
        config = ctx.file.config,
        layers = [
            struct(metadata = file, blob = blobs.get(file.basename.removesuffix(".layer.json")))
            for file in ctx.files.layers
        ],
        layouts = [],
        sources = [struct(registry = ctx.attr.registry, repository = ctx.attr.repository)] if ctx.attr.registry else [],
        bases = [],
        locks = depset(),
        sbom = None,
        provenance = None,
        referrers = [],
    )
    return [
        DefaultInfo(files = depset([image.descriptor, image.manifest, image.config])),
        image,
        OutputGroupInfo(**image_output_groups(ctx, image)),
    ]

image_import = rule(
    implementation = _image_import_impl,
    doc = "An unchanged image from outside the build. The repository rules for base images declare it.",
    attrs = {
        "descriptor": attr.label(mandatory = True, allow_single_file = True, doc = "JSON: the descriptor of the manifest."),
        "manifest": attr.label(mandatory = True, allow_single_file = True, doc = "The manifest."),
        "config": attr.label(mandatory = True, allow_single_file = True, doc = "The configuration."),
        "layers": attr.label_list(allow_files = True, doc = "Metadata of every layer, lowest first: `HEX.layer.json`."),
        "blobs": attr.label_list(allow_files = True, doc = "The local layers, each named `HEX`, the hexadecimal part of its digest."),
        "registry": attr.string(doc = "`HOST[:PORT]` of the registry with the layers. Default: none; all layers are local."),
        "repository": attr.string(doc = "The repository in that registry."),
    },
    toolchains = [BUILD_TOOL_TOOLCHAIN],
)
