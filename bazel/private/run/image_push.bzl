"""Pushes images."""

load("//bazel/private/image:image_index_info.bzl", "IMAGE_PROVIDERS", "image_or_index")
load(":request.bzl", "REQUEST_ATTRS", "module_name", "package_repository", "run_target")
load(":run_tools_info.bzl", "RunToolsInfo")

DESTINATION_ATTRS = {
    "images": attr.label_list(mandatory = True, providers = IMAGE_PROVIDERS, doc = "The images."),
    "image_tags": attr.string_list(doc = "The name of each image, in the same order. Default: `default` for a single image."),
    "registry": attr.string(doc = "`HOST` or `HOST:PORT`. Default: the variable SLIPWAY_REGISTRY, else the build setting `registry`, else the embedded registry."),
    "repository": attr.string(doc = "The repository. Default: the build setting `repository_prefix` plus the package's path."),
    "remote_tags": attr.string_list(doc = "For a single image, its tags in the repository. For several images, one tag each, in the same order. Default: the target's name."),
    "remote_tags_file": attr.label(allow_single_file = True, doc = "A file with the tags of a single image, one per line."),
}

def image_requests(ctx):
    """The requests of a rule with DESTINATION_ATTRS.

    Args:
      ctx: the rule context, with REQUEST_ATTRS too.

    Returns:
      list of struct, as in `run_target`.
    """
    prefix = ctx.attr._run_tools[RunToolsInfo].repository_prefix.strip("/").lower()
    default = "/".join([part for part in [prefix, package_repository(ctx)] if part])
    count = len(ctx.attr.images)
    tags = ctx.attr.image_tags or ["default"]
    remote_tags = ctx.attr.remote_tags or [ctx.label.name] * count
    if ctx.attr.remote_tags_file and count != 1:
        fail("{}: `remote_tags` is a file, which works for one image, but there are {}.\nSet a list with one tag for each image, or declare a target for each image.".format(ctx.label, count))
    if len(tags) != count or (count != 1 and len(remote_tags) != count):
        fail("{}: there are {} `images`, {} `image_tags` and {} `remote_tags`.\nGive as many tags as images.".format(ctx.label, count, len(tags), len(remote_tags)))
    return [
        struct(
            image = image_or_index(target),
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
    return [
        DefaultInfo(executable = run.executable, runfiles = run.runfiles),
        OutputGroupInfo(layers = run.layers),
    ]

_image_push = rule(
    implementation = _image_push_impl,
    executable = True,
    doc = "Pushes images.",
    attrs = DESTINATION_ATTRS | REQUEST_ATTRS,
)

def image_push(name, images, image_tags = [], registry = "", repository = "", remote_tags = [], **kwargs):
    """Pushes images in parallel with `bazel run`, and prints `HOST/REPOSITORY@sha256:…` for each.

    ```starlark
    image_push(
        name = "server_push",
        images = [":server_image"],
        registry = "registry.example.com",
        repository = "team/server",
        remote_tags = ["latest", "{STABLE_GIT_COMMIT}"],
    )
    ```

    `{NAME}` in a tag stands for a build status variable (`bazel help build`, `--workspace_status_command`) and needs `--stamp`. Only tags depend
    on such a variable, never a layer, manifest or digest.

    If a tag already has the image, the push costs one request. Errors: lists of different lengths; a variable without `--stamp`, or one that the
    build status lacks; a refusal by the registry, with the step to take (exit status 2 if you can fix it, 1 for any other failure).

    Args:
      name: string, the name of the target.
      images: labels of the images.
      image_tags: list of strings: the name of each image, in the same order. Default: `default` for a single image.
      registry: string, `HOST` or `HOST:PORT`. Default: the variable SLIPWAY_REGISTRY, else the build setting `registry`, else the embedded registry.
      repository: string. Default: the build setting `repository_prefix` plus the package's path; in a root package, plus the module's name.
      remote_tags: list of strings: the tags of the image. Or the label of a file with one tag per line; with an empty file, Slipway pushes only by
        digest. With several images: a list with one tag for each, in the same order. Default: the target's name.
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
