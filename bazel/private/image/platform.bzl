"""The platform that an image is for."""

def _image_platform_impl(settings, attr):
    platforms = settings["//command_line_option:platforms"]
    if getattr(attr, "platform", None):
        platforms = [attr.platform]
    return {"//command_line_option:platforms": platforms}

# The identity where no platform is set, so that an image and the program run locally share every action.
image_platform_transition = transition(
    implementation = _image_platform_impl,
    inputs = ["//command_line_option:platforms"],
    outputs = ["//command_line_option:platforms"],
)

PLATFORM_ATTRS = {
    "platform": attr.label(doc = "The platform that the image is for. Default: the platform that is built for."),
    "_allowlist_function_transition": attr.label(default = "@bazel_tools//tools/allowlists/function_transition_allowlist"),
}

# Bazel's names and the OCI image specification's (those of Go).
_OS = {"linux": "linux", "macos": "darwin", "windows": "windows"}
_ARCHITECTURES = {"x86_64": "amd64", "aarch64": "arm64", "armv7": "arm", "ppc64le": "ppc64le", "riscv64": "riscv64", "s390x": "s390x"}

OCI_PLATFORM_ATTRS = {
    "_os": attr.label_list(default = ["@platforms//os:" + name for name in _OS]),
    "_architectures": attr.label_list(default = ["@platforms//cpu:" + name for name in _ARCHITECTURES]),
}

def _constraint(ctx, targets, names):
    for target in targets:
        if ctx.target_platform_has_constraint(target[platform_common.ConstraintValueInfo]):
            return names[target.label.name]
    return None

def oci_platform(ctx):
    """The platform that the rule is built for, in the words of the OCI image specification.

    Args:
      ctx: the rule context, with OCI_PLATFORM_ATTRS.

    Returns:
      struct(os = string, architecture = string, variant = string or None).
    """
    os = _constraint(ctx, ctx.attr._os, _OS)
    architecture = _constraint(ctx, ctx.attr._architectures, _ARCHITECTURES)
    if not os or not architecture:
        fail("{}: the platform that is built for has no operating system or processor that an image can have.\nSet `platform` to one that has both, for example //bazel/platforms:linux_amd64.".format(ctx.label))
    return struct(os = os, architecture = architecture, variant = "v7" if architecture == "arm" else None)
