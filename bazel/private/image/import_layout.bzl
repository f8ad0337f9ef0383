"""Reads an image from an OCI layout that any ruleset built."""

load("//bazel/private:build_tool.bzl", "build_tool_args", "run_build_tool")
load(":image_info.bzl", "ImageInfo")

def layout_of(target):
    """The OCI layout that a target builds.

    Args:
      target: Target.

    Returns:
      struct(folder = File, files = depset of File: the folder and the files that its links point to) or None.
    """
    files = target[DefaultInfo].files.to_list()
    if len(files) != 1 or not files[0].is_directory:
        return None

    # Layouts of rules_oci consist of links to files outside the folder; the targets have those files as runfiles.
    return struct(
        folder = files[0],
        files = depset(files, transitive = [target[DefaultInfo].default_runfiles.files]),
    )

def import_layout(ctx, layout, name, platform = None):
    """Declares the action that reads the metadata of a layout's image. Its layers stay in the layout.

    Args:
      ctx: the rule context, with BUILD_TOOL_TOOLCHAIN.
      layout: struct from layout_of.
      name: string, name of the outputs without their endings.
      platform: struct from oci_platform: the image to take from an index. Default: the whole index, if the layout has one.

    Returns:
      ImageInfo. Without a platform, its manifest may be an index.
    """
    outputs = {part: ctx.actions.declare_file("{}.{}.json".format(name, part)) for part in ["manifest", "config", "descriptor"]}
    args = build_tool_args(ctx, "import")
    args.add_all([layout.folder], format_each = "--layout=%s", expand_directories = False)
    for part, file in outputs.items():
        args.add(file, format = "--{}=%s".format(part))
    if platform:
        args.add("/".join([part for part in [platform.os, platform.architecture, platform.variant] if part]), format = "--platform=%s")
    run_build_tool(
        ctx,
        args,
        inputs = layout.files,
        outputs = outputs.values(),
        mnemonic = "ImageImport",
        progress_message = "Reading the image in %{input}",
    )
    return ImageInfo(
        descriptor = outputs["descriptor"],
        manifest = outputs["manifest"],
        config = outputs["config"],
        layers = [],
        layouts = [layout],
        sources = [],
        bases = [],
        locks = depset(),
        sbom = None,
        provenance = None,
        referrers = [],
    )
