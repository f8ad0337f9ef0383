"""Pushes the images of several targets."""

load(":image_push_info.bzl", "ImagePushInfo")
load(":request.bzl", "REQUEST_ATTRS", "run_target")

def _image_push_all_impl(ctx):
    images = [image for push in ctx.attr.pushes for image in push[ImagePushInfo].images]
    run = run_target(ctx, mode = "push", images = images)
    return [
        DefaultInfo(executable = run.executable, runfiles = run.runfiles),
        ImagePushInfo(images = images),
        OutputGroupInfo(layers = run.layers),
    ]

_image_push_all = rule(
    implementation = _image_push_all_impl,
    executable = True,
    doc = "Pushes the images of several targets.",
    attrs = {
        "pushes": attr.label_list(mandatory = True, allow_empty = False, providers = [ImagePushInfo], doc = "The pushes."),
    } | REQUEST_ATTRS,
)

def image_push_all(name, pushes, **kwargs):
    """Pushes the images of several targets with one `bazel run`, in one process, and prints `HOST/REPOSITORY@sha256:…` for each.

    ```starlark
    image_push_all(
        name = "push_all",
        pushes = [
            "//server:image_push",
            "//train:main_push",
        ],
    )
    ```

    Every image goes to the registry, the repository and the tags of its own target. All images share connections, logins and layers: Slipway sends a
    layer once to each registry. The options are those of `image_push`.

    If an image cannot be pushed, Slipway names its target and still pushes the others. The exit status is then 2 if you can fix every failure, else 1.
    Errors at analysis: a target that pushes no image. Other errors: those of `image_push`, before the first request.

    Args:
      name: string, the name of the target.
      pushes: labels of `image_push` and `image_push_all` targets, and of the `_push` targets of pipelines. Bazel builds the images of all.
      **kwargs: attributes of every target.
    """
    _image_push_all(name = name, pushes = pushes, **kwargs)
