"""Pushes images."""

load("//bazel/private/image:image_index_info.bzl", "IMAGE_PROVIDERS", "image_or_index")
load(":request.bzl", "REQUEST_ATTRS", "image_request", "run_target")
load(":run_tools_info.bzl", "RunToolsInfo")

DESTINATION_ATTRS = {
    "images": attr.label_list(mandatory = True, providers = IMAGE_PROVIDERS, doc = "The images."),
    "image_tags": attr.string_list(doc = "The name of each image, in the same order. Default: `default` for the only one."),
    "registry": attr.string(doc = "`HOST` or `HOST:PORT`. Default: the variable SLIPWAY_REGISTRY, else the build setting `registry`, else the embedded registry of this machine."),
    "repository": attr.string(doc = "The repository. Default: the build setting `repository_prefix` and the package's path."),
    "remote_tags": attr.string_list(doc = "The tag that each image gets there, in the same order. Default: the target's name."),
}

def image_requests(ctx):
    """The requests of a rule with DESTINATION_ATTRS.

    Args:
      ctx: the rule context, with REQUEST_ATTRS too.

    Returns:
      list of image_request.
    """
    prefix = ctx.attr._run_tools[RunToolsInfo].repository_prefix
    default = "/".join([part for part in [prefix.strip("/"), ctx.label.package] if part]) or ctx.workspace_name.strip("_")
    tags = ctx.attr.image_tags or ["default"]
    remote_tags = ctx.attr.remote_tags or [ctx.label.name] * len(ctx.attr.images)
    if len(tags) != len(ctx.attr.images) or len(remote_tags) != len(ctx.attr.images):
        fail("{}: {} images, {} image_tags, {} remote_tags.\nGive as many of each as there are images.".format(ctx.label, len(ctx.attr.images), len(tags), len(remote_tags)))
    return [
        image_request(
            image_or_index(target),
            tag = tags[i],
            registry = ctx.attr.registry,
            repository = ctx.attr.repository or default.lower(),
            remote_tags = [remote_tags[i]],
        )
        for i, target in enumerate(ctx.attr.images)
    ]

def _image_push_impl(ctx):
    run = run_target(ctx, mode = "push", images = image_requests(ctx))
    return [DefaultInfo(executable = run.executable, runfiles = run.runfiles)]

image_push = rule(
    implementation = _image_push_impl,
    executable = True,
    doc = """`bazel run` pushes images, all at once, and prints `HOST/REPOSITORY@sha256:…` for each.

```starlark
image_push(
    name = "server_push",
    images = [":server_image"],
    registry = "registry.example.com",
    repository = "team/server",
    remote_tags = ["latest"],
)
```

A tag that has the image already costs one request. Errors: lists of different lengths; what a registry refuses, with the step to take (exit
status 2 for what you can mend, 1 for a failure).
""",
    attrs = DESTINATION_ATTRS | REQUEST_ATTRS,
)
