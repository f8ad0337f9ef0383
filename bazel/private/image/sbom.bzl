"""The SBOM of an image."""

load("@bazel_skylib//rules:common_settings.bzl", "BuildSettingInfo")
load("//bazel/private:build_tool.bzl", "build_tool_args", "run_build_tool")
load(":provenance.bzl", "material_name")

SBOM_ATTRS = {
    "_sbom": attr.label(default = Label("//bazel/settings:sbom"), providers = [BuildSettingInfo]),
}

# Media type, which is the artifact type too, and ending of a format's documents.
_FORMATS = {
    "cyclonedx": struct(media_type = "application/vnd.cyclonedx+json", suffix = ".cdx.json"),
    "spdx": struct(media_type = "application/spdx+json", suffix = ".spdx.json"),
}

def _lock_entry(file):
    return json.encode(["lock", file.path])

def write_sbom(ctx, name, image, layers, base, locks):
    """Declares the action that writes what an image contains, in the format of the setting `sbom`. It reads only small files, no layer.

    Args:
      ctx: the rule context, with BUILD_TOOL_TOOLCHAIN and SBOM_ATTRS.
      name: string, name of the image's target.
      image: dict with the File `descriptor` and the File `manifest`.
      layers: list of struct, as in ImageInfo.
      base: struct as in `bases` of ImageInfo: the base that another tool made, which keeps its own SBOM; or None.
      locks: depset of File, as in ImageInfo.

    Returns:
      struct(file = File or None, referrers = list of struct as in ImageInfo). Nothing if the setting is `none`.
    """
    format = _FORMATS.get(ctx.attr._sbom[BuildSettingInfo].value)
    if not format:
        return struct(file = None, referrers = [])
    output = ctx.actions.declare_file(name + format.suffix)
    known = [layer for layer in layers if hasattr(layer, "packages")]
    inputs = [image["descriptor"], image["manifest"]] + [file for layer in known for file in [layer.metadata, layer.packages]]
    args = build_tool_args(ctx, "sbom")
    args.add(output, format = "--output=%s")
    args.add(ctx.attr._sbom[BuildSettingInfo].value, format = "--format=%s")
    args.add(material_name(ctx.label.same_package_label(name)), format = "--name=%s")
    args.add(image["descriptor"], format = "--descriptor=%s")
    args.add(image["manifest"], format = "--manifest=%s")
    if base:
        args.add(base.descriptor, format = "--base=%s")
        args.add(base.name, format = "--base-name=%s")
        inputs.append(base.descriptor)
    args.add_all([json.encode(["layer", layer.metadata.path, layer.packages.path]) for layer in known])
    args.add_all(locks, map_each = _lock_entry)
    run_build_tool(
        ctx,
        args,
        inputs = depset(inputs, transitive = [locks]),
        outputs = [output],
        mnemonic = "ImageSbom",
        progress_message = "Writing the SBOM of %{label}",
    )
    return struct(file = output, referrers = [struct(file = output, artifact_type = format.media_type, unstamped = False)])
