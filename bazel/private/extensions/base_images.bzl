"""The module extension for base images."""

load("//bazel/private/debian:debian_repository.bzl", "DEBIAN_ATTRS", "debian_image")
load("//bazel/private/debian:default_bases.bzl", "declare_default_bases")
load("//bazel/private/image:layout_repository.bzl", "LAYOUT_ATTRS", "layout_repository")
load("//bazel/private/image:pull_repository.bzl", "PULL_ATTRS", "pull_repository")

_NAME = {"name": attr.string(mandatory = True, doc = "Name of the repository. The image is `@NAME//image`.")}

_DEBIAN = DEBIAN_ATTRS | {
    "locks": attr.label_keyed_string_dict(doc = "Lock to Debian's name of its architecture, instead of `lock`. The image is the one for the target platform."),
}

# Kind to the attributes of its tag, and its repository rule.
_KINDS = {
    "debian": struct(attrs = _DEBIAN, rule = debian_image),
    "layout": struct(attrs = LAYOUT_ATTRS, rule = layout_repository),
    "pull": struct(attrs = PULL_ATTRS, rule = pull_repository),
}

def _base_images_impl(mctx):
    declared = {}
    for module in mctx.modules:
        for kind, spec in _KINDS.items():
            for tag in getattr(module.tags, kind):
                # The root module comes first, so it can replace a dependency's base image.
                if tag.name in declared:
                    if declared[tag.name] == module.name:
                        fail("base image {}: module {} declares it twice.\nRename one of them.".format(tag.name, module.name))
                    continue
                declared[tag.name] = module.name
                spec.rule(name = tag.name, **{attribute: getattr(tag, attribute) for attribute in spec.attrs})
    declare_default_bases(declared)
    return mctx.extension_metadata(reproducible = True)

base_images = module_extension(
    implementation = _base_images_impl,
    doc = """Base images: each is a repository with the target `//image`.

`worker_base`, `worker_cuda`, `slim_base`, `sematic_base` and `sematic_cuda` are predeclared. Declare others with tags:

```starlark
base_images = use_extension("@slipway//bazel:extensions.bzl", "base_images")
base_images.layout(name = "team_base", path = "images/base")
base_images.debian(
    name = "debian_base",
    lock = "//images:base.lock",
    packages = ["base-files", "base-passwd", "ca-certificates", "dash", "libstdc++6"],
    suite = "bookworm",
)
base_images.pull(
    name = "ubuntu",
    digest = "sha256:…",
    image = "ubuntu:24.04",
)
use_repo(base_images, "debian_base", "team_base", "ubuntu", "worker_cuda")
```
""",
    tag_classes = {
        "debian": tag_class(attrs = _NAME | _DEBIAN, doc = "Debian packages at locked versions, from a mirror. You need neither apt nor dpkg."),
        "layout": tag_class(attrs = _NAME | LAYOUT_ATTRS, doc = "An OCI layout on this machine, for example one from `skopeo copy … oci:images/base`."),
        "pull": tag_class(attrs = _NAME | PULL_ATTRS, doc = "An image in a registry, by digest. Bazel does not download its layers; a push mounts or streams them."),
    },
)
