"""The run targets of a pipeline."""

load(":image_push.bzl", "DESTINATION_ATTRS", "image_requests")
load(":request.bzl", "REQUEST_ATTRS", "module_name", "program_environment", "run_target")

def _pipeline_run_impl(ctx):
    run = run_target(
        ctx,
        mode = "launch" if ctx.attr.push else "binary",
        images = image_requests(ctx),
        program = ctx.attr.program,
        image_env = ctx.attr.image_env,
        run_in = ctx.attr.run_in,
        run_options = ctx.attr.run_options,
    )
    return [
        DefaultInfo(executable = run.executable, runfiles = run.runfiles),
        OutputGroupInfo(layers = run.layers),
    ] + program_environment(ctx.attr.program)

_pipeline_run = rule(
    implementation = _pipeline_run_impl,
    executable = True,
    doc = "Runs a launch script with the URIs of its images, after an optional push.",
    attrs = {
        "program": attr.label(mandatory = True, allow_files = True, doc = "The launch script."),
        "push": attr.bool(doc = "Whether to push the images first."),
        "image_env": attr.string_list(doc = "Further variables with image URIs: names that end in `_URIS` get all of them, other names the default image's."),
        "run_in": attr.string(default = "host", values = ["host", "image"], doc = "Where the program runs."),
        "run_options": attr.string_list(doc = "Options of `podman run` or `docker run`, for `run_in = \"image\"`."),
    } | DESTINATION_ATTRS | REQUEST_ATTRS,
)

def pipeline_run(**kwargs):
    """Runs a launch script with the URIs of its images, after an optional push. Takes the rule's attributes."""
    _pipeline_run(module_name = module_name(), **kwargs)
