"""The rule behind a single-platform image, with its output groups."""

load("//bazel/private:build_tool.bzl", "BUILD_TOOL_TOOLCHAIN", "build_tool_args", "run_build_tool")
load("//bazel/private/run:request.bzl", "REQUEST_ATTRS", "built_layers", "carried_layers", "load_target", "package_repository")
load(":image_info.bzl", "ImageInfo")

def image_output_groups(ctx, image):
    """Declares the output groups of an image. Bazel builds each only on request.

    Args:
      ctx: the rule context, with BUILD_TOOL_TOOLCHAIN.
      image: ImageInfo or ImageIndexInfo.

    Returns:
      dict of output group to depset of File: `oci_layout`, `digest`, `layers`, `sbom` and `provenance` unless another tool built the image, and
      `oci_tarball` for a single platform.
    """
    is_index = hasattr(image, "images")
    lines = ["--index=" + image.manifest.path] if is_index else []
    inputs = [image.descriptor, image.manifest]
    layouts = []
    for each in image.images if is_index else [image]:
        present = [layer for layer in each.layers if layer.blob]
        lines += ["--manifest=" + each.manifest.path, "--config=" + each.config.path]
        lines += [json.encode(["blob", layer.metadata.path, layer.blob.path]) for layer in present]
        lines += [json.encode(["layout", layout.folder.path]) for layout in each.layouts]
        inputs += [each.manifest, each.config] + [file for layer in present for file in [layer.metadata, layer.blob]]
        layouts += [layout.files for layout in each.layouts]
    with_blobs = depset(inputs, transitive = layouts)

    def action(command, output, mnemonic, inputs, lines):
        args = build_tool_args(ctx, command)
        args.add_all([output], format_each = "--output=%s", expand_directories = False)
        args.add(image.descriptor, format = "--descriptor=%s")
        args.add_all(lines)
        run_build_tool(ctx, args, inputs, [output], mnemonic, "Writing {} of %{{label}}".format(command))
        return depset([output])

    groups = {
        "digest": action("digest", ctx.actions.declare_file(ctx.label.name + ".digest"), "ImageDigest", [image.descriptor], []),
        "layers": depset(built_layers(image)),
        "oci_layout": action("layout", ctx.actions.declare_directory(ctx.label.name + ".layout"), "ImageLayout", with_blobs, lines),
    }
    sboms = [each.sbom for each in (image.images if is_index else [image]) if each.sbom]
    if sboms:
        groups["sbom"] = depset(sboms)
    if image.provenance:
        groups["provenance"] = depset([image.provenance])
    if not is_index:
        tag = "--tag={}:{}".format(package_repository(ctx), ctx.label.name)
        groups["oci_tarball"] = action("tarball", ctx.actions.declare_file(ctx.label.name + ".tar"), "ImageTarball", with_blobs, [tag] + lines)
    return groups

def _image_impl(ctx):
    image = ctx.attr.manifest[ImageInfo]
    run = load_target(ctx, image)
    files = [image.descriptor, image.manifest, image.config] + carried_layers(ctx, image)
    return [
        DefaultInfo(executable = run.executable, files = depset(files), runfiles = run.runfiles),
        image,
        OutputGroupInfo(**image_output_groups(ctx, image)),
    ]

image = rule(
    implementation = _image_impl,
    executable = True,
    doc = """A container image. `bazel run` loads it into podman or docker.

Output groups: `oci_layout`, a folder of real files (OCI image specification 1.1, "Image Layout"); `oci_tarball`, an archive for
`podman load` and `docker load`; `digest`, the manifest's digest as text; `layers`, the layers that the build makes;
`sbom`, the packages in the image, in the format of the setting `sbom`; `provenance`, how the image was built (in-toto statement).
""",
    attrs = {
        "manifest": attr.label(mandatory = True, providers = [ImageInfo], doc = "The image."),
    } | REQUEST_ATTRS,
    toolchains = [BUILD_TOOL_TOOLCHAIN],
)
