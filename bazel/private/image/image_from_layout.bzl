"""Images that another ruleset built, as Slipway images."""

load("//bazel/private:build_tool.bzl", "BUILD_TOOL_TOOLCHAIN")
load("//bazel/private/run:request.bzl", "REQUEST_ATTRS", "load_target", "module_name")
load(":image.bzl", "image_output_groups")
load(":image_index_info.bzl", "ImageIndexInfo", "image_or_index")
load(":image_info.bzl", "ImageInfo")
load(":import_layout.bzl", "import_layout", "layout_of")

def _image_from_layout_impl(ctx):
    target = ctx.attr.layout
    if ImageInfo in target or ImageIndexInfo in target:
        image = image_or_index(target)
        groups = target[OutputGroupInfo]
    else:
        layout = layout_of(target)
        if not layout:
            fail("{}: {} is not an image: its output is not an OCI layout in one folder.\nUse an oci_image, an oci_image_index or an image.".format(ctx.label, target.label))
        image = import_layout(ctx, layout, ctx.label.name)
        groups = OutputGroupInfo(**image_output_groups(ctx, image))
    run = load_target(ctx, image)
    return [
        DefaultInfo(executable = run.executable, files = depset([image.descriptor, image.manifest]), runfiles = run.runfiles),
        image,
        groups,
    ]

_image_from_layout = rule(
    implementation = _image_from_layout_impl,
    executable = True,
    doc = "An image that another ruleset built, as a Slipway image.",
    attrs = {
        "layout": attr.label(mandatory = True, doc = "A target whose only output is an OCI layout."),
    } | REQUEST_ATTRS,
    toolchains = [BUILD_TOOL_TOOLCHAIN],
)

def image_from_layout(name, layout, **kwargs):
    """An image that another ruleset built, with the same bytes and digest. `bazel run` loads it into podman or docker.

    ```starlark
    oci_image(
        name = "server",
        base = "@distroless_base",
        tars = [":server_files"],
    )

    image_from_layout(
        name = "server_image",
        layout = ":server",
    )

    image_push(
        name = "server_push",
        images = [":server_image"],
    )
    ```

    You can use it wherever an image goes. To use an OCI layout as a base, you do not need this target: write `base = ":server"`.

    Args:
      name: string, the name of the target.
      layout: label of a target whose only output is an OCI layout: an `oci_image` or `oci_image_index` of rules_oci, or the output group
        `oci_layout` of an `image`. An `image` itself works too.
      **kwargs: attributes of every target.
    """
    _image_from_layout(name = name, layout = layout, module_name = module_name(), **kwargs)
