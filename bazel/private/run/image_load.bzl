"""Loads an image into the engine of this machine."""

load("//bazel/private/image:image_index_info.bzl", "IMAGE_PROVIDERS", "image_or_index")
load(":request.bzl", "REQUEST_ATTRS", "image_request", "module_name", "package_repository", "run_target")

def _image_load_impl(ctx):
    repository = ctx.attr.repository or package_repository(ctx)
    run = run_target(ctx, mode = "load", images = [image_request(
        image_or_index(ctx.attr.image),
        tag = "default",
        repository = repository,
        remote_tags = [ctx.attr.tag or ctx.label.name],
    )])
    return [DefaultInfo(executable = run.executable, runfiles = run.runfiles)]

_image_load = rule(
    implementation = _image_load_impl,
    executable = True,
    doc = "Loads an image into the engine of this machine.",
    attrs = {
        "image": attr.label(mandatory = True, providers = IMAGE_PROVIDERS, doc = "The image."),
        "repository": attr.string(doc = "The name that the engine shows it by."),
        "tag": attr.string(doc = "The tag under that name."),
    } | REQUEST_ATTRS,
)

def image_load(name, image, repository = "", tag = "", **kwargs):
    """`bazel run` loads an image into podman or docker, under a name of its own, and prints that name. (`bazel run` of an `image` does so too.)

    ```starlark
    image_load(
        name = "server_load",
        image = ":server_image",
        tag = "dev",
    )
    ```

    Layers that are only in a registry are fetched for it, but for those that podman has already. Errors: neither podman nor docker is installed,
    or it does not work.

    Args:
      name: string, the name of the target.
      image: label of the image.
      repository: string, the name that the engine shows it by. Default: the package's path; the root package has the name of its module.
      tag: string, the tag under that name. Default: the target's name.
      **kwargs: attributes of every target.
    """
    _image_load(name = name, image = image, repository = repository, tag = tag, module_name = module_name(), **kwargs)
