"""The rule that composes an image's manifest and configuration."""

load("//bazel/private:build_tool.bzl", "BUILD_TOOL_TOOLCHAIN", "build_tool_args", "run_build_tool")
load(":image_index_info.bzl", "ImageIndexInfo")
load(":image_info.bzl", "ImageInfo")
load(":image_layers_info.bzl", "ImageLayersInfo")
load(":import_layout.bzl", "import_layout", "layout_of")
load(":platform.bzl", "OCI_PLATFORM_ATTRS", "PLATFORM_ATTRS", "image_platform_transition", "oci_platform")
load(":provenance.bzl", "material_name", "write_provenance")
load(":sbom.bzl", "SBOM_ATTRS", "write_sbom")
load(":stamp.bzl", "STAMP_ATTRS", "build_status")
load(":user.bzl", "USER")

def _make_image(ctx, spec, layers, locks, base = None):
    """Declares the action that composes the manifest and configuration from the layers' metadata.

    Args:
      ctx: the rule context, with BUILD_TOOL_TOOLCHAIN.
      spec: dict: see ImageSpec in src/oci/compose.ts.
      layers: list of struct, as in ImageInfo.
      locks: list of depset of File: the lock files of packages in the layers.
      base: ImageInfo or None.

    Returns:
      ImageInfo.
    """
    outputs = {part: ctx.actions.declare_file("{}.{}.json".format(ctx.label.name, part)) for part in ["manifest", "config", "descriptor"]}
    args = build_tool_args(ctx, "manifest")
    for part, file in outputs.items():
        args.add(file, format = "--{}=%s".format(part))
    inputs = [layer.metadata for layer in layers]
    if base:
        args.add(base.manifest, format = "--base-manifest=%s")
        args.add(base.config, format = "--base-config=%s")
        inputs = inputs + [base.manifest, base.config]
    args.add_all([layer.metadata for layer in layers], format_each = "--layer=%s")
    args.add_all([layer.metadata for layer in layers if getattr(layer, "unless_in_base", False)], format_each = "--unless-in-base=%s")
    for name in ["labels", "annotations"]:
        file = getattr(ctx.file, name + "_file")
        if file:
            args.add(file, format = "--{}=%s".format(name))
            inputs = inputs + [file]
    if _has_variables(ctx):
        status = build_status(ctx)
        args.add_all(status, format_each = "--status=%s")
        inputs = inputs + status
    args.add(json.encode(spec), format = "--spec=%s")
    run_build_tool(
        ctx,
        args,
        inputs = inputs,
        outputs = outputs.values(),
        mnemonic = "ImageManifest",
        progress_message = "Composing image %{label}",
    )
    bases = []
    if base:
        # An image of the build has the source of its own base.
        source = base.sources[0] if base.sources and not base.bases else None
        name = "{}/{}".format(source.registry, source.repository) if source else material_name(ctx.attr.base.label)
        bases = [struct(descriptor = base.descriptor, name = name)] + base.bases
    locks = depset(transitive = locks + ([base.locks] if base else []))
    layers = (base.layers if base else []) + layers
    name = ctx.label.name.removesuffix("_manifest")
    made_elsewhere = base and (base.layouts or [layer for layer in base.layers if not hasattr(layer, "packages")])
    sbom = write_sbom(ctx, name, outputs, layers, bases[-1] if made_elsewhere else None, locks)
    provenance = write_provenance(ctx, name, outputs["descriptor"], bases, locks)
    return ImageInfo(
        descriptor = outputs["descriptor"],
        manifest = outputs["manifest"],
        config = outputs["config"],
        layers = layers,
        layouts = base.layouts if base else [],
        sources = base.sources if base else [],
        bases = bases,
        locks = locks,
        sbom = sbom.file,
        provenance = provenance.file,
        referrers = sbom.referrers + provenance.referrers,
    )

def _has_variables(ctx):
    """Tells if labels or annotations can have variables of the build status."""
    if ctx.file.labels_file or ctx.file.annotations_file:
        return True
    return "{" in "".join(ctx.attr.labels.values() + ctx.attr.annotations.values())

def _base(ctx, platform):
    base = ctx.attr.base
    if not base:
        return None
    if ImageInfo in base:
        return base[ImageInfo]
    layout = layout_of(base)
    if layout:
        return import_layout(ctx, layout, ctx.label.name + ".base", platform)
    fail("{}: `base` {} is {}.\nUse an image, or a target with an OCI layout as its only output, such as an oci_image.".format(
        ctx.label,
        base.label,
        "an index of several images" if ImageIndexInfo in base else "not an image",
    ))

def _image_manifest_impl(ctx):
    programs = [target[ImageLayersInfo].program for target in ctx.attr.layers if target[ImageLayersInfo].program]
    if len(programs) > 1 and not ctx.attr.entrypoint:
        fail("{}: two of its `layers` have a program.\nSet `entrypoint`, or remove one of them.".format(ctx.label))
    if ctx.attr.epoch < 0:
        fail("{}: `epoch` is {}.\nUse 0 or more seconds since 1970-01-01 UTC.".format(ctx.label, ctx.attr.epoch))
    program = programs[0] if programs else struct(entrypoint = [], working_dir = "", env = {})
    platform = oci_platform(ctx)
    spec = {
        "os": platform.os,
        "architecture": platform.architecture,
        "env": program.env | ctx.attr.env,
        "labels": ctx.attr.labels,
        "annotations": ctx.attr.annotations,
    }
    for name, value in {
        "variant": platform.variant,
        "entrypoint": ctx.attr.entrypoint or program.entrypoint,
        "cmd": ctx.attr.cmd,
        "epoch": ctx.attr.epoch,
        "user": ctx.attr.user,
        "workingDir": ctx.attr.working_dir or program.working_dir,
    }.items():
        if value:
            spec[name] = value
    if programs and not ctx.attr.user:
        spec["defaultUser"] = "{}:{}".format(USER.uid, USER.gid)
        spec["defaultHome"] = USER.home
    image = _make_image(
        ctx,
        spec = spec,
        layers = [layer for target in ctx.attr.layers for layer in target[ImageLayersInfo].layers],
        locks = [getattr(target[ImageLayersInfo], "locks", depset()) for target in ctx.attr.layers],
        base = _base(ctx, platform),
    )
    return [DefaultInfo(files = depset([image.descriptor, image.manifest, image.config])), image]

_ATTRS = {
    "base": attr.label(doc = "The base: an `image`, a base image, or a target that builds an OCI layout, such as `oci_image` or `oci_image_index` of rules_oci. Default: none, an image from scratch."),
    "layers": attr.label_list(providers = [ImageLayersInfo], doc = "Layers on top, lowest first."),
    "env": attr.string_dict(doc = "Environment variables. They override the base's."),
    "entrypoint": attr.string_list(doc = "The command that starts. Default: the program in a layer, else the base's entrypoint."),
    "cmd": attr.string_list(doc = "Arguments of the entrypoint. Default: the base's; none if `entrypoint` or a program in a layer replaces its entrypoint."),
    "epoch": attr.int(doc = "The creation time of the image, in seconds since 1970-01-01 UTC. Default: 0."),
    "user": attr.string(doc = "`USER` or `UID:GID`. Default: the base's. If a layer has a program and the base sets no user or root: 1000:1000 with home /home/slipway."),
    "working_dir": attr.string(doc = "Default: the program's, else the base's."),
    "labels": attr.string_dict(doc = "Labels of the configuration. They override the base's."),
    "labels_file": attr.label(allow_single_file = True, doc = "A file with labels, `KEY=VALUE` in each line."),
    "annotations": attr.string_dict(doc = "Annotations of the manifest."),
    "annotations_file": attr.label(allow_single_file = True, doc = "A file with annotations, `KEY=VALUE` in each line."),
} | OCI_PLATFORM_ATTRS | SBOM_ATTRS | STAMP_ATTRS

_DOC = "An image's manifest and configuration, without its output groups, so that a push does not have to analyse those."

image_manifest = rule(
    implementation = _image_manifest_impl,
    doc = _DOC,
    attrs = _ATTRS,
    toolchains = [BUILD_TOOL_TOOLCHAIN],
)

# A separate rule, because a transition costs more than the image itself, even one to the current target platform.
image_manifest_for_platform = rule(
    implementation = _image_manifest_impl,
    cfg = image_platform_transition,
    doc = _DOC,
    attrs = _ATTRS | PLATFORM_ATTRS,
    toolchains = [BUILD_TOOL_TOOLCHAIN],
)
