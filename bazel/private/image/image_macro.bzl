"""The macro behind `image`."""

load(":base_reference.bzl", "refuse_image_reference")
load(":image.bzl", image_rule = "image")
load(":image_index.bzl", "image_index")

_COMMON = ["visibility", "tags", "testonly", "target_compatible_with", "exec_compatible_with", "features", "deprecation"]

def image(name, platforms = [], **kwargs):
    """A container image: layers on a base. `bazel run` loads it into podman or docker.

    ```starlark
    image(
        name = "server_image",
        base = "@worker_base//image",
        layers = [":config"],
        entrypoint = ["/usr/bin/env"],
        platforms = [
            "@slipway//bazel/platforms:linux_amd64",
            "@slipway//bazel/platforms:linux_arm64",
        ],
    )
    ```

    Args:
      name: string, the name of the image.
      platforms: labels of platforms: the image is built for each, as one OCI image index. Default: an image of one platform, `platform`. An
        index is pushed, launched and loaded like an image; it is no base of other images.
      **kwargs: attributes of the rule: `base`, `layers`, `env`, `entrypoint`, `cmd`, `user`, `working_dir`, `labels`, `annotations`, `platform`.
    """
    where = "image {}".format(native.package_relative_label(name))
    refuse_image_reference(where, "base", kwargs.get("base"))
    if not platforms:
        image_rule(name = name, **kwargs)
        return
    if kwargs.get("platform"):
        fail("{}: `platform` and `platforms` are both given.\nLeave one of them out.".format(where))
    each = name + "_of_platform"
    image_rule(name = each, **(kwargs | {"tags": ["manual"], "visibility": ["//visibility:private"]}))
    image_index(name = name, image = each, platforms = platforms, **{key: kwargs[key] for key in _COMMON if key in kwargs})
