"""The run targets of a pipeline."""

load(":image_push.bzl", "DESTINATION_ATTRS", "image_requests")
load(":request.bzl", "REQUEST_ATTRS", "module_name", "run_target")

def _pipeline_run_impl(ctx):
    run = run_target(
        ctx,
        mode = "launch" if ctx.attr.push else "binary",
        images = image_requests(ctx),
        program = ctx.attr.program,
        image_env = ctx.attr.image_env,
    )
    providers = [DefaultInfo(executable = run.executable, runfiles = run.runfiles)]
    if RunEnvironmentInfo in ctx.attr.program:
        providers.append(ctx.attr.program[RunEnvironmentInfo])
    return providers

_pipeline_run = rule(
    implementation = _pipeline_run_impl,
    executable = True,
    doc = "Starts a launch script that knows its images by URI; pushes them first where asked to.",
    attrs = {
        "program": attr.label(mandatory = True, allow_files = True, doc = "The launch script."),
        "push": attr.bool(doc = "Whether the images are pushed first."),
        "image_env": attr.string_list(doc = "Further variables that tell the images: names that end in `_URIS` all of them, other names the default one."),
    } | DESTINATION_ATTRS | REQUEST_ATTRS,
)

def pipeline_run(**kwargs):
    """Starts a launch script that knows its images by URI; pushes them first where asked to. The attributes are those of the rule."""
    _pipeline_run(module_name = module_name(), **kwargs)
