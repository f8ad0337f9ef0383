"""Pushes images."""

load("//bazel/private:label_text.bzl", "label_text")
load("//bazel/private/image:image_index_info.bzl", "IMAGE_PROVIDERS", "image_or_index")
load(":image_push_info.bzl", "ImagePushInfo")
load(":request.bzl", "REQUEST_ATTRS", "module_name", "package_repository", "run_target")
load(":run_tools_info.bzl", "RunToolsInfo")

DESTINATION_ATTRS = {
    "images": attr.label_list(mandatory = True, providers = IMAGE_PROVIDERS, doc = "The images."),
    "image_tags": attr.string_list(doc = "The name of each image, in the same order. Default: `default` for a single image."),
    "registry": attr.string(doc = "`HOST` or `HOST:PORT`. Default: the variable SLIPWAY_REGISTRY, else the build setting `registry`, else the embedded registry."),
    "repository": attr.string(doc = "The repository. Default: the build setting `repository_prefix` plus the package's path."),
}

_TAG_ATTRS = {
    "remote_tags": attr.string_list(doc = "For a single image, its tags in the repository. For several images, one tag each, in the same order. Default: the target's name."),
    "remote_tags_file": attr.label(allow_single_file = True, doc = "A file with the tags of a single image, one per line."),
}

def image_requests(ctx, remote_tags = None, remote_tags_file = None):
    """The requests of a rule with DESTINATION_ATTRS.

    Args:
      ctx: the rule context, with REQUEST_ATTRS too.
      remote_tags: list of lists of strings: the tags of each image. Default: none, for a push by digest.
      remote_tags_file: File or None: the tags of a single image.

    Returns:
      list of struct, as in `run_target`.
    """
    repository = ctx.attr.repository or _default_repository(ctx)
    tags = ctx.attr.image_tags or ["default"]
    if len(tags) != len(ctx.attr.images):
        fail("{}: there are {} `images` and {} `image_tags`.\nGive as many tags as images.".format(ctx.label, len(ctx.attr.images), len(tags)))
    return [
        struct(
            target = label_text(ctx.label),
            image = image_or_index(target),
            tag = tags[i],
            registry = ctx.attr.registry,
            repository = repository,
            remote_tags = remote_tags[i] if remote_tags else [],
            remote_tags_file = remote_tags_file,
        )
        for i, target in enumerate(ctx.attr.images)
    ]

def _default_repository(ctx):
    prefix = ctx.attr._run_tools[RunToolsInfo].repository_prefix.strip("/").lower()
    name = package_repository(ctx)

    # All modules without a name have this one: their images would take each other's tags.
    if name == "main" and not prefix and not ctx.label.package:
        fail("{}: it is in the root package of a module without a name, and has no `repository`.\nBegin MODULE.bazel with `module(name = \"NAME\")`, or set `repository`.".format(label_text(ctx.label)))
    return "/".join([part for part in [prefix, name] if part])

def _remote_tags(ctx):
    count = len(ctx.attr.images)
    tags = ctx.attr.remote_tags or [ctx.label.name] * count
    if ctx.attr.remote_tags_file and count != 1:
        fail("{}: `remote_tags` is a file, which works for one image, but there are {}.\nSet a list with one tag for each image, or declare a target for each image.".format(ctx.label, count))
    if count == 1:
        return [tags]
    if len(tags) != count:
        fail("{}: there are {} `images` and {} `remote_tags`.\nGive as many tags as images, or declare a target for each image.".format(ctx.label, count, len(tags)))
    return [[tag] for tag in tags]

def _image_push_impl(ctx):
    images = image_requests(ctx, _remote_tags(ctx), ctx.file.remote_tags_file)
    run = run_target(ctx, mode = "push", images = images)
    return [
        DefaultInfo(executable = run.executable, runfiles = run.runfiles),
        ImagePushInfo(images = images),
        OutputGroupInfo(layers = run.layers),
    ]

_image_push = rule(
    implementation = _image_push_impl,
    executable = True,
    doc = "Pushes images.",
    attrs = DESTINATION_ATTRS | _TAG_ATTRS | REQUEST_ATTRS,
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

    `{NAME}` in a tag stands for a build status variable (`bazel help build`, `--workspace_status_command`) and needs `--stamp`. The launcher
    replaces it, so no digest depends on a tag.

    If a tag already has the image, the push costs one request. To push the images of several targets, use `image_push_all`.

    Errors: lists of different lengths; a variable without `--stamp`, or one that the build status lacks; one tag for two images of a repository; a
    refusal by the registry, with the step to take (exit status 2 if you can fix it, 1 for any other failure). If one of several images cannot be
    pushed, Slipway still pushes the others.

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
