"""A bundled module for programs to import."""

load(":esbuild.bzl", "ESBUILD_ATTRS", "bundle")

def _ts_module_impl(ctx):
    output = ctx.actions.declare_file(ctx.label.name + ".mjs")
    bundle(
        ctx,
        entry_point = ctx.file.entry_point,
        inputs = depset([ctx.file.entry_point], transitive = [target[DefaultInfo].files for target in ctx.attr.srcs]),
        output = output,
        library = True,
    )
    return [DefaultInfo(files = depset([output]))]

ts_module = rule(
    implementation = _ts_module_impl,
    doc = "One ES module from an entry point and its imports, without npm packages.",
    attrs = {
        "entry_point": attr.label(mandatory = True, allow_single_file = [".ts"], doc = "The module with the exports."),
        "srcs": attr.label_list(allow_files = True, doc = "The modules that it imports, or filegroups of them."),
    } | ESBUILD_ATTRS,
)
