"""A base image from a registry, without its layers."""

load("//bazel/private:given_name.bzl", "given_name")
load("//bazel/private/node:repository_tool.bzl", "run_repository_tool")

# The platforms that Bazel has names for, in the words of the OCI image specification, and the constraints that they are.
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
    "image": attr.string(mandatory = True, doc = "`REGISTRY/REPOSITORY`, Docker Hub's without a registry; a tag may follow, for people."),
    "digest": attr.string(doc = "`sha256:…` of the image, or of the index that names the images of several platforms. Left out: an error that says what the tag names now."),
    "platforms": attr.string_list(doc = "Of an index, the platforms to take: `os/architecture[/variant]` each. Default: all for Linux."),
}

def _choices(images):
    """Folder to constraints. Where two images have the same ones, as arm64 and arm64/v8 do, the first counts."""
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

    # Credentials from AWS need its packages.
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
        # Building for another platform then says what the base is for.
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
    doc = """`@NAME//image`: an image in a registry, by digest. Manifest and configuration are fetched, with the credentials of `docker login` and
`podman login`; layers never are: a push mounts them where it can, and streams them from one registry to the other where it cannot. Of several
platforms the one that is built for counts; each is also `@NAME//OS_ARCHITECTURE:image`.

Errors: no `digest`, with the one that the tag names now; a registry that refuses, with where credentials were looked for; a digest that is another.
""",
    attrs = PULL_ATTRS,
)
