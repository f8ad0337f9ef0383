"""The target platform, with the names of the OCI image specification."""

OciPlatformInfo = provider(
    doc = "The target platform (OCI image specification 1.1, \"Image Index\", property `platform`).",
    fields = {
        "os": "string, Go's name of the operating system; None if images do not support it.",
        "architecture": "string, Go's name of the processor; None if images do not support it.",
        "variant": "string or None.",
    },
)

# Bazel's names to the specification's, which are Go's.
_OS = {"linux": "linux", "macos": "darwin", "windows": "windows"}
_ARCHITECTURES = {"x86_64": "amd64", "aarch64": "arm64", "armv7": "arm", "ppc64le": "ppc64le", "riscv64": "riscv64", "s390x": "s390x"}

def _constraint(ctx, targets, names):
    for target in targets:
        if ctx.target_platform_has_constraint(target[platform_common.ConstraintValueInfo]):
            return names[target.label.name]
    return None

def _oci_platform_impl(ctx):
    architecture = _constraint(ctx, ctx.attr._architectures, _ARCHITECTURES)
    return [OciPlatformInfo(
        os = _constraint(ctx, ctx.attr._os, _OS),
        architecture = architecture,
        variant = "v7" if architecture == "arm" else None,
    )]

# One target for all images of a platform, instead of nine dependencies for each image.
oci_platform_of_target = rule(
    implementation = _oci_platform_impl,
    doc = "Provides OciPlatformInfo.",
    attrs = {
        "_os": attr.label_list(default = ["@platforms//os:" + name for name in _OS]),
        "_architectures": attr.label_list(default = ["@platforms//cpu:" + name for name in _ARCHITECTURES]),
    },
)
