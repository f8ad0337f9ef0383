"""The macro behind `image`."""

load("//bazel/private:common_attributes.bzl", "COMMON_ATTRIBUTES", "check_attributes")
load("//bazel/private:label_text.bzl", "label_text")
load("//bazel/private/run:request.bzl", "module_name")
load(":base_reference.bzl", "refuse_image_reference")
load(":image.bzl", image_rule = "image")
load(":image_index.bzl", "image_index")
load(":image_manifest.bzl", "image_manifest", "image_manifest_for_platform")

# Bazel's own attributes, for the target with the actions.
_ACTION_ATTRIBUTES = ["aspect_hints", "compatible_with", "exec_properties", "restricted_to", "toolchains"]

def image_manifest_name(name):
    """The name of the target with an image's manifest and configuration, without its output groups."""
    return name + "_manifest"

def image(
        name,
        base = None,
        layers = [],
        entrypoint = [],
        cmd = [],
        env = {},
        user = "",
        working_dir = "",
        labels = {},
        annotations = {},
        epoch = 0,
        platform = None,
        platforms = [],
        tags = [],
        **kwargs):
    """A container image from layers on a base. `bazel run` loads it into podman or docker.

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

    The manifest and configuration follow the OCI image specification 1.1. Output groups: `oci_layout`, a folder of real files (section "Image
    Layout" of the specification); `oci_tarball`, one file for `podman load` and `docker load`, not with `platforms`; `digest`, the manifest's digest
    as text; `layers`, the layers that the build makes; `sbom`, the packages in it (SPDX 2.3, or CycloneDX 1.6 by the setting `sbom`), a file for each
    platform; `provenance`, how the image was built (in-toto statement v1, SLSA provenance v1).

    Errors: a base for another platform than the image; a native program for another platform in a layer; two layers with a program, without
    `entrypoint`; `platform` together with `platforms`; an image reference as `base`; a negative `epoch`.

    Args:
      name: string, the name of the image.
      base: label of an image: the base image. Default: none, an image from scratch.
      layers: labels: layers on top, lowest first: `image_layer` targets and `NAME_layers` of pipelines.
      entrypoint: list of strings: the command that starts. Default: the program in a layer, else the base's entrypoint.
      cmd: list of strings: arguments of the entrypoint. Default: the base's; none if `entrypoint` or a program in a layer replaces its entrypoint.
      env: dict of string to string: environment variables. They override the base's.
      user: string, `USER` or `UID:GID`. Default: the base's. If a layer has a program and the base sets no user or root: 1000:1000 with home
        `/home/slipway`.
      working_dir: string. Default: the program's, else the base's.
      labels: dict of string to string: labels of the configuration. They override the base's. Or the label of a file with `KEY=VALUE` in each line.
        `{NAME}` in a value stands for a build status variable: `{"org.opencontainers.image.revision": "{STABLE_GIT_COMMIT}"}`. Without `--stamp`, Slipway
        leaves out labels with a variable, so digests do not depend on the build status. `org.opencontainers.image.created` may be a number of
        seconds since 1970, such as `{BUILD_TIMESTAMP}`. Error in a stamped build: a variable that the build status lacks.
      annotations: as `labels`: annotations of the manifest.
      epoch: int: the creation time of the image, in seconds since 1970-01-01 UTC, as in SOURCE_DATE_EPOCH. With `platforms`: of every image. Default: 0.
        Only the configuration gets it, so another time pushes no layer. Layers have no such attribute: their files have time 0, and images of all
        times share them. For the time of a stamped build, use the label `org.opencontainers.image.created`.
      platform: label of a platform. Default: the target platform of the build.
      platforms: labels of platforms: Slipway builds the image for each, as one OCI image index. Default: an image for one platform, `platform`. You
        push, launch and load an index like an image, but it cannot be the base of another image.
      tags: list of strings. Default: none.
      **kwargs: attributes of every target.
    """
    is_file = {name: type(value) in ["string", "Label"] for name, value in {"annotations": annotations, "labels": labels}.items()}
    attributes = {
        "base": base,
        "layers": layers,
        "entrypoint": entrypoint,
        "cmd": cmd,
        "env": env,
        "user": user,
        "working_dir": working_dir,
        "labels": {} if is_file["labels"] else labels,
        "annotations": {} if is_file["annotations"] else annotations,
        "epoch": epoch,
    }
    where = "image " + label_text(native.package_relative_label(name))
    check_attributes(where, kwargs, attributes.keys() + ["platform", "platforms"] + _ACTION_ATTRIBUTES)
    refuse_image_reference("image", name, "base", base)
    if platform and platforms:
        fail("{}: both `platform` and `platforms` are set.\nLeave one of them out.".format(where))
    common = {key: kwargs[key] for key in COMMON_ATTRIBUTES if key in kwargs} | {"tags": tags}
    files = {
        "annotations_file": annotations if is_file["annotations"] else None,
        "labels_file": labels if is_file["labels"] else None,
    }
    inner = attributes | files | kwargs | {
        "name": image_manifest_name(name),
        # Tags can control how actions run, so the target with the actions gets them too.
        "tags": ["manual"] + [tag for tag in tags or [] if tag != "manual"],
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
