"""The platform of an image."""

load(":oci_platform.bzl", "OciPlatformInfo")

def _image_platform_impl(_settings, attr):
    return {"//command_line_option:platforms": [attr.platform]}

# Images without `platform` use no transition, so they share every action with the local program.
image_platform_transition = transition(
    implementation = _image_platform_impl,
    inputs = [],
    outputs = ["//command_line_option:platforms"],
)

PLATFORM_ATTRS = {
    "platform": attr.label(mandatory = True, doc = "The platform of the image."),
    "_allowlist_function_transition": attr.label(default = "@bazel_tools//tools/allowlists/function_transition_allowlist"),
}

OCI_PLATFORM_ATTRS = {
    "_oci_platform": attr.label(default = Label("//bazel/private/image:oci_platform"), providers = [OciPlatformInfo]),
}

def oci_platform(ctx):
    """The rule's target platform, with the names of the OCI image specification.

    Args:
      ctx: the rule context, with OCI_PLATFORM_ATTRS.

    Returns:
      OciPlatformInfo, with operating system and processor.
    """
    platform = ctx.attr._oci_platform[OciPlatformInfo]
    if not platform.os or not platform.architecture:
        fail("{}: its platform has no operating system or no processor that an image can have.\nSet `platform` to one with both, such as //bazel/platforms:linux_amd64.".format(ctx.label))
    return platform
