"""Loads an image into podman or docker on this machine."""

load("//bazel/private/image:image_index_info.bzl", "IMAGE_PROVIDERS", "image_or_index")
load(":request.bzl", "REQUEST_ATTRS", "load_target", "module_name")

def _image_load_impl(ctx):
    run = load_target(ctx, image_or_index(ctx.attr.image), ctx.attr.repository, ctx.attr.tag)
    return [
        DefaultInfo(executable = run.executable, runfiles = run.runfiles),
        OutputGroupInfo(layers = run.layers),
    ]

_image_load = rule(
    implementation = _image_load_impl,
    executable = True,
    doc = "Loads an image into podman or docker on this machine.",
    attrs = {
        "image": attr.label(mandatory = True, providers = IMAGE_PROVIDERS, doc = "The image."),
        "repository": attr.string(doc = "The image's name in the engine."),
        "tag": attr.string(doc = "The tag under that name."),
    } | REQUEST_ATTRS,
)

def image_load(name, image, repository = "", tag = "", **kwargs):
    """Loads an image into podman or docker with `bazel run`, under a name that you choose, and prints that name.

    ```starlark
    image_load(
        name = "server_load",
        image = ":server_image",
        tag = "dev",
    )
    ```

    `bazel run` of an `image` also loads it, under its default name. Slipway fetches layers that only a registry has, except those that podman already
    has. Errors: neither podman nor docker is installed, or it does not work.

    Args:
      name: string, the name of the target.
      image: label of the image.
      repository: string, the image's name in the engine. Default: the package's path; in a root package, the module's name.
      tag: string, the tag under that name. Default: the target's name.
      **kwargs: attributes of every target.
    """
    _image_load(name = name, image = image, repository = repository, tag = tag, module_name = module_name(), **kwargs)
