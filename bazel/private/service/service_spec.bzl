"""The rule that checks a service file at build time."""

load("//bazel/private:checked_document.bzl", "CHECK_ATTRS", "checked_document")

def _service_spec_impl(ctx):
    spec = ctx.file.spec
    return checked_document(ctx, "service", spec, spec.short_path, ["--has-image"] if ctx.attr.has_image else [])

service_spec = rule(
    implementation = _service_spec_impl,
    doc = "A service file. A mistake in it fails the build with file, line and column. Names of instance types depend on the machine, so commands check them.",
    attrs = {
        "spec": attr.label(mandatory = True, allow_single_file = [".yaml", ".yml", ".json", ".jsonc"], doc = "The service file."),
        "has_image": attr.bool(doc = "Whether the `service` target sets an image for services without one."),
    } | CHECK_ATTRS,
)
