"""The targets of a base image that consists of Debian packages."""

load("//bazel/private/image:image.bzl", "image")
load("//bazel/private/image:image_macro.bzl", "image_manifest_name")
load("//bazel/private/image:image_manifest.bzl", "image_manifest", "image_manifest_for_platform")
load(":debian_layer.bzl", "debian_layer")
load(":python_bytecode_layer.bzl", "python_bytecode_layer", "python_packages_of")

def debian_base(env, layers, platform, constraints, packages = [], shared = None):
    """Declares `layer`, `python_bytecode` if the packages have Python, and `image`. The image is always for one platform, whatever the target platform is.

    If it is the target platform, no transition is needed, so programs and bases share their tools: Bazel analyses and builds those once. The
    image is the same with and without the transition.

    Args:
      env: dict of string to string, environment variables of the image.
      layers: labels of further layers of the image, lowest first.
      platform: label of the platform.
      constraints: labels of the platform's constraints.
      packages: labels of the packages.
      shared: string, the package of another base of the same packages with Python, whose layers this one uses. Default: layers of its own.
    """
    python = python_packages_of(packages)
    names = ["layer"] + (["python_bytecode"] if python or shared else [])
    if shared:
        for name in names:
            native.alias(name = name, actual = "{}:{}".format(shared, name))
    else:
        debian_layer(name = "layer", lock = "//:packages.lock", packages = packages)
        if python:
            python_bytecode_layer(name = "python_bytecode", packages = python)
    native.config_setting(name = "is_built_for", constraint_values = constraints)
    manifest = image_manifest_name("image")
    what = {
        "cmd": ["/bin/sh"],
        "env": env,
        "layers": names + layers,
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
