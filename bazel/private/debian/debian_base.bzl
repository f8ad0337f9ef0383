"""The targets of a base image that consists of Debian packages."""

load("//bazel/private/image:image.bzl", "image")
load("//bazel/private/image:image_macro.bzl", "image_manifest_name")
load("//bazel/private/image:image_manifest.bzl", "image_manifest", "image_manifest_for_platform")
load(":debian_layer.bzl", "debian_layer")
load(":python_bytecode_layer.bzl", "python_bytecode_layer", "python_packages_of")

def debian_base(packages, env, layers, platform, constraints):
    """Declares `layer` and `image`. The image is always for one platform, whatever the target platform is.

    If it is the target platform, no transition is needed, so programs and bases share their tools: Bazel analyses and builds those once. The
    image is the same with and without the transition.

    Args:
      packages: labels of the packages.
      env: dict of string to string, environment variables of the image.
      layers: labels of the image's layers, lowest first, starting with `:layer`.
      platform: label of the platform.
      constraints: labels of the platform's constraints.
    """
    debian_layer(name = "layer", packages = packages)
    python = python_packages_of(packages)
    if python:
        python_bytecode_layer(name = "python_bytecode", packages = python)
        layers = layers[:1] + [":python_bytecode"] + layers[1:]
    native.config_setting(name = "is_built_for", constraint_values = constraints)
    manifest = image_manifest_name("image")
    what = {
        "cmd": ["/bin/sh"],
        "env": env,
        "layers": layers,
        "user": "1000:1000",
    }
    image_manifest(name = manifest + "_as_built_for", **what)
    image_manifest_for_platform(name = manifest + "_by_transition", platform = platform, **what)
    native.alias(
        name = manifest,
        actual = select({
            ":is_built_for": manifest + "_as_built_for",
            "//conditions:default": manifest + "_by_transition",
        }),
    )
    image(name = "image", manifest = manifest)
