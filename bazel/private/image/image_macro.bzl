"""The macro behind `image`."""

load("//bazel/private:common_attributes.bzl", "COMMON_ATTRIBUTES", "check_attributes")
load("//bazel/private:label_text.bzl", "label_text")
load("//bazel/private/run:request.bzl", "module_name")
load(":base_reference.bzl", "refuse_image_reference")
load(":image.bzl", image_rule = "image")
load(":image_index.bzl", "image_index")
load(":image_manifest.bzl", "image_manifest", "image_manifest_for_platform")

_ATTRIBUTES = [
    "annotations",
    "base",
    "cmd",
    "entrypoint",
    "env",
    "labels",
    "layers",
    "platform",
    "platforms",
    "user",
    "working_dir",
    # Bazel's own, of the target with the actions.
    "aspect_hints",
    "compatible_with",
    "exec_properties",
    "restricted_to",
    "toolchains",
]

def image_manifest_name(name):
    """The name of the target with manifest and configuration of an image, without the forms in which others take it."""
    return name + "_manifest"

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

    Manifest and configuration are those of the OCI image specification 1.1. Output groups: `oci_layout`, a folder of real files (its section
    "Image Layout"); `oci_tarball`, one file for `podman load` and `docker load`; `digest`, the manifest's digest as text.

    Errors: a base for another platform than the image's; a native program for another platform in a layer; two layers that bring a program,
    without `entrypoint`; `platform` beside `platforms`.

    Args:
      name: string, the name of the image.
      platforms: labels of platforms: the image is built for each, as one OCI image index. Default: an image of one platform, `platform`. An
        index is pushed, launched and loaded like an image; it is no base of other images.
      **kwargs: the following, and attributes of every target.
        `base`, label of an image: the image below. Default: none, an image from scratch.
        `layers`, labels: layers on top, lowest first: `image_layer` and `NAME_layers` of pipelines.
        `env`, dict of string to string: environment variables, over the base's.
        `entrypoint`, list of strings: what starts. Default: the program that a layer brings, else the base's.
        `cmd`, list of strings: arguments of the entrypoint. Default: the base's, none where the entrypoint is another.
        `user`, string, `USER` or `UID:GID`. Default: the base's; with a program on a base that says nothing or root, 1000:1000 with home
        `/home/slipway`.
        `working_dir`, string. Default: that of the program, else the base's.
        `labels`, dict of string to string: labels of the configuration, over the base's.
        `annotations`, dict of string to string: annotations of the manifest.
        `platform`, label of a platform. Default: the one that is built for.
    """
    check_attributes("image " + label_text(native.package_relative_label(name)), kwargs, _ATTRIBUTES)
    refuse_image_reference("image", name, "base", kwargs.get("base"))
    platform = kwargs.pop("platform", None)
    if platform and platforms:
        fail("image {}: `platform` and `platforms` are both given.\nLeave one of them out.".format(label_text(native.package_relative_label(name))))
    common = {key: kwargs[key] for key in COMMON_ATTRIBUTES + ["tags"] if key in kwargs}
    inner = kwargs | {
        "name": image_manifest_name(name),
        # The others may say how actions run.
        "tags": ["manual"] + [tag for tag in kwargs.get("tags") or [] if tag != "manual"],
        "visibility": ["//visibility:private"],
    }
    if platform:
        image_manifest_for_platform(platform = platform, **inner)
    else:
        image_manifest(**inner)
    if platforms:
        image_index(name = name, image = inner["name"], platforms = platforms, module_name = module_name(), **common)
    else:
        image_rule(name = name, manifest = inner["name"], module_name = module_name(), **common)
