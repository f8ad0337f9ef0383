"""Pushes images."""

load("//bazel/private/image:image_index_info.bzl", "IMAGE_PROVIDERS", "image_or_index")
load(":request.bzl", "REQUEST_ATTRS", "image_request", "module_name", "package_repository", "run_target")
load(":run_tools_info.bzl", "RunToolsInfo")

DESTINATION_ATTRS = {
    "images": attr.label_list(mandatory = True, providers = IMAGE_PROVIDERS, doc = "The images."),
    "image_tags": attr.string_list(doc = "The name of each image, in the same order. Default: `default` for the only one."),
    "registry": attr.string(doc = "`HOST` or `HOST:PORT`. Default: the variable SLIPWAY_REGISTRY, else the build setting `registry`, else the embedded registry of this machine."),
    "repository": attr.string(doc = "The repository. Default: the build setting `repository_prefix` and the package's path."),
    "remote_tags": attr.string_list(doc = "The tags of the only image there; of several images the tag of each, in the same order. Default: the target's name."),
    "remote_tags_file": attr.label(allow_single_file = True, doc = "A file with the tags of the only image, one a line."),
}

def image_requests(ctx):
    """The requests of a rule with DESTINATION_ATTRS.

    Args:
      ctx: the rule context, with REQUEST_ATTRS too.

    Returns:
      list of image_request.
    """
    prefix = ctx.attr._run_tools[RunToolsInfo].repository_prefix.strip("/").lower()
    default = "/".join([part for part in [prefix, package_repository(ctx)] if part])
    count = len(ctx.attr.images)
    tags = ctx.attr.image_tags or ["default"]
    remote_tags = ctx.attr.remote_tags or [ctx.label.name] * count
    if ctx.attr.remote_tags_file and count != 1:
        fail("{}: `remote_tags` is a file, and has the tags of one image, but there are {}.\nGive a list with the tag of each, or every image a target of its own.".format(ctx.label, count))
    if len(tags) != count or (count != 1 and len(remote_tags) != count):
        fail("{}: {} images, {} image_tags, {} remote_tags.\nGive as many of each as there are images.".format(ctx.label, count, len(tags), len(remote_tags)))
    return [
        image_request(
            image_or_index(target),
            tag = tags[i],
            registry = ctx.attr.registry,
            repository = ctx.attr.repository or default,
            remote_tags = remote_tags if count == 1 else [remote_tags[i]],
            remote_tags_file = ctx.file.remote_tags_file,
        )
        for i, target in enumerate(ctx.attr.images)
    ]

def _image_push_impl(ctx):
    run = run_target(ctx, mode = "push", images = image_requests(ctx))
    return [DefaultInfo(executable = run.executable, runfiles = run.runfiles)]

_image_push = rule(
    implementation = _image_push_impl,
    executable = True,
    doc = "Pushes images.",
    attrs = DESTINATION_ATTRS | REQUEST_ATTRS,
)

def image_push(name, images, image_tags = [], registry = "", repository = "", remote_tags = [], **kwargs):
    """`bazel run` pushes images, all at once, and prints `HOST/REPOSITORY@sha256:…` for each.

    ```starlark
    image_push(
        name = "server_push",
        images = [":server_image"],
        registry = "registry.example.com",
        repository = "team/server",
        remote_tags = ["latest", "{STABLE_GIT_COMMIT}"],
    )
    ```

    `{NAME}` in a tag stands for a variable of the build status (`bazel help build`, `--workspace_status_command`), and needs a build with
    `--stamp`. Only tags change with it: no layer, manifest or digest does.

    A tag that has the image already costs one request. Errors: lists of different lengths; a variable without `--stamp`, or that the build status
    does not have; what a registry refuses, with the step to take (exit status 2 for what you can mend, 1 for a failure).

    Args:
      name: string, the name of the target.
      images: labels of the images.
      image_tags: list of strings: the name of each image, in the same order. Default: `default` for the only one.
      registry: string, `HOST` or `HOST:PORT`. Default: the variable SLIPWAY_REGISTRY, else the build setting `registry`, else the embedded
        registry of this machine.
      repository: string. Default: the build setting `repository_prefix` and the package's path; the root package has the name of its module.
      remote_tags: list of strings: the tags of the image. Or the label of a file with them, one a line; a file without any pushes by digest
        alone. With several images: a list with one tag for each, in the same order. Default: the target's name.
      **kwargs: attributes of every target.
    """
    is_file = type(remote_tags) in ["string", "Label"]
    _image_push(
        name = name,
        images = images,
        image_tags = image_tags,
        registry = registry,
        repository = repository,
        remote_tags = [] if is_file else remote_tags,
        remote_tags_file = remote_tags if is_file else None,
        module_name = module_name(),
        **kwargs
    )
