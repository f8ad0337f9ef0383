"""Base images from a registry, without their layers."""

load("//bazel/private:given_name.bzl", "given_name")
load("//bazel/private/node:repository_tool.bzl", "run_repository_tool")

# The specification's names of architectures, to Bazel's names.
_CPUS = {
    "amd64": "x86_64",
    "arm/v7": "armv7",
    "arm64": "aarch64",
    "arm64/v8": "aarch64",
    "386": "x86_32",
    "ppc64le": "ppc64le",
    "riscv64": "riscv64",
    "s390x": "s390x",
}
_CONSTRAINTS = {
    "linux/" + architecture: [str(Label("@platforms//os:linux")), str(Label("@platforms//cpu:" + cpu))]
    for architecture, cpu in _CPUS.items()
}

_IMAGE_BUILD = """load("{image_import}", "image_import")

image_import(
    name = "image",
    config = "config.json",
    descriptor = "descriptor.json",
    layers = {layers},
    manifest = "manifest.json",
    registry = "{registry}",
    repository = "{repository}",
    visibility = ["//visibility:public"],
)
"""

_CHOICE_BUILD = """_CHOICES = {choices}

[
    config_setting(
        name = folder,
        constraint_values = constraints,
    )
    for folder, constraints in _CHOICES.items()
]

alias(
    name = "image",
    actual = select(
        {{":" + folder: "//" + folder + ":image" for folder in _CHOICES}},
        no_match_error = {no_match_error},
    ),
    visibility = ["//visibility:public"],
)
"""

_ONLY_BUILD = """alias(
    name = "image",
    actual = "//{folder}:image",
    visibility = ["//visibility:public"],
)
"""

PULL_ATTRS = {
    "image": attr.string(mandatory = True, doc = "`REGISTRY/REPOSITORY`. Without a registry: Docker Hub. You may add a tag for readers; the digest decides."),
    "digest": attr.string(doc = "`sha256:…` of the image, or of the index with the images for several platforms. If you leave it out, the error names the tag's current digest."),
    "platforms": attr.string_list(doc = "The platforms to take from an index: `os/architecture[/variant]` each. Default: all for Linux."),
    "verify": attr.label(allow_single_file = True, doc = "The public key in PEM, for example `//:cosign.pub`, that must have signed the image or index, as `cosign sign` and `slipway image sign` do. Bazel verifies the signature when it fetches the image. Default: only what `require` in the user's configuration file demands."),
}

def _choices(images):
    """Folder to constraints. Of images with the same constraints (arm64 and arm64/v8), the first wins."""
    folders = {}
    for image in images:
        constraints = _CONSTRAINTS.get(image["platform"])
        if constraints and str(constraints) not in folders:
            folders[str(constraints)] = (image["folder"], constraints)
    return dict(folders.values())

def _pull_repository_impl(rctx):
    request = {
        "image": rctx.attr.image,
        "digest": rctx.attr.digest,
        "platforms": rctx.attr.platforms,
        "known": _CONSTRAINTS.keys(),
    }
    if rctx.attr.verify:
        request["key"] = str(rctx.path(rctx.attr.verify))

    # The tool needs npm packages for AWS credentials.
    pulled = run_repository_tool(rctx, "pull", [json.encode(request)], packages = True)
    images = pulled["images"]
    for image in images:
        rctx.file(image["folder"] + "/BUILD.bazel", _IMAGE_BUILD.format(
            image_import = Label(":image_import.bzl"),
            layers = json.encode(image["layers"]),
            registry = pulled["registry"],
            repository = pulled["repository"],
        ))
    if len(images) == 1:
        # Without a select, a build for another platform gets the error that names the base's platform.
        build = _ONLY_BUILD.format(folder = images[0]["folder"])
    else:
        build = _CHOICE_BUILD.format(
            choices = repr(_choices(images)),
            no_match_error = repr("base image {} has no image for the platform that is built for, only for {}.\nSet `platform`, for example to @slipway//bazel/platforms:linux_amd64.".format(
                given_name(rctx),
                ", ".join([image["platform"] for image in images]),
            )),
        )
    rctx.file("BUILD.bazel")
    rctx.file("image/BUILD.bazel", build)
    return rctx.repo_metadata(reproducible = True) if hasattr(rctx, "repo_metadata") else None

pull_repository = repository_rule(
    implementation = _pull_repository_impl,
    doc = """`@NAME//image`: an image in a registry, by digest.

Bazel fetches the manifest and the configuration, with the credentials of `docker login` and `podman login`. It never fetches layers: a push mounts
them if it can, and otherwise streams them from one registry to the other. If the image is for several platforms, `@NAME//image` is the one for the
target platform. Each is also available as `@NAME//OS_ARCHITECTURE:image`.

Errors: no `digest` (the error names the tag's current digest); a registry that refuses access (the error lists where Slipway looked for credentials);
a wrong digest; no signature by the key of `verify`.
""",
    attrs = PULL_ATTRS,
)
