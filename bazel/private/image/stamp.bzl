"""Tells if a build is stamped."""

StampInfo = provider(
    doc = "Whether a build is stamped (`--stamp`).",
    fields = {"stamp": "bool."},
)

def _stamp_setting_impl(ctx):
    return [StampInfo(stamp = ctx.attr.stamp)]

stamp_setting = rule(
    implementation = _stamp_setting_impl,
    doc = "Provides StampInfo.",
    attrs = {"stamp": attr.bool(doc = "Whether the build is stamped.")},
)

STAMP_ATTRS = {
    "_stamp": attr.label(default = Label("//bazel/private/image:stamp"), providers = [StampInfo]),
}

def build_status(ctx):
    """The files with the build status.

    Args:
      ctx: the rule context, with STAMP_ATTRS.

    Returns:
      list of File; empty if the build is not stamped.
    """
    return [ctx.info_file, ctx.version_file] if ctx.attr._stamp[StampInfo].stamp else []
