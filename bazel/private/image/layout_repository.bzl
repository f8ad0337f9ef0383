"""A base image from an OCI layout on this machine."""

_INDEXES = [
    "application/vnd.oci.image.index.v1+json",
    "application/vnd.docker.distribution.manifest.list.v2+json",
]

_BUILD = """load("{image_import}", "image_import")

image_import(
    name = "image",
    blobs = glob(["blobs/*"], allow_empty = True),
    config = "config.json",
    descriptor = "descriptor.json",
    layers = {layers},
    manifest = "manifest.json",
    visibility = ["//visibility:public"],
)
"""

LAYOUT_ATTRS = {
    "path": attr.string(mandatory = True, doc = "The folder with index.json. A relative path starts at the workspace."),
    "platform": attr.string(doc = "`os/architecture[/variant]`. Required if the layout has several images."),
}

def _error(rctx, problem, remedy):
    fail("base image {}: {}\n{}".format(rctx.attr.name, problem, remedy))

def _platform_name(platform):
    return "/".join([platform[key] for key in ["os", "architecture", "variant"] if platform.get(key)])

def _blob(rctx, layout, descriptor):
    algorithm, _, encoded = descriptor["digest"].partition(":")

    # It becomes a part of paths.
    if len(encoded) != 64 or encoded.strip("0123456789abcdef"):
        _error(rctx, "{} has a blob with the digest {}.".format(layout, repr(descriptor["digest"])), "Do not use this layout: another program could have changed it. Copy the image again.")
    path = layout.get_child("blobs").get_child(algorithm).get_child(encoded)
    if algorithm != "sha256" or not path.exists:
        _error(rctx, "{} has no blob {}.".format(layout, descriptor["digest"]), "Copy the layout again with all its blobs.")
    return path

def _verified(rctx, layout, descriptor, output):
    """Copies a blob, verifies its digest, and returns its JSON."""
    rctx.download(url = "file://{}".format(_blob(rctx, layout, descriptor).realpath), output = output, sha256 = descriptor["digest"].removeprefix("sha256:"))
    return json.decode(rctx.read(output))

def _choose(rctx, manifests, where):
    wanted = rctx.attr.platform
    named = {_platform_name(entry.get("platform", {})): entry for entry in manifests}
    if len(manifests) == 1 and (not wanted or "" in named or wanted in named):
        return manifests[0]
    if wanted in named:
        return named[wanted]
    _error(
        rctx,
        "{} holds {} images, for {}.".format(where, len(manifests), ", ".join([name or "an unnamed platform" for name in named])) if not wanted else "{} holds no image for {}, only for {}.".format(where, wanted, ", ".join(named)),
        "Set `platform` to one of them.",
    )
    return None

def _layout_repository_impl(rctx):
    layout = rctx.path(rctx.attr.path) if rctx.attr.path.startswith("/") else rctx.path(str(rctx.workspace_root) + "/" + rctx.attr.path)
    index = layout.get_child("index.json")
    if not index.exists:
        _error(rctx, "{} is not an OCI layout: it has no index.json.".format(layout), "Set `path` to the folder with index.json, oci-layout and blobs, absolute or relative to the workspace.")
    descriptor = _choose(rctx, json.decode(rctx.read(index, watch = "yes")).get("manifests", []), str(layout))
    manifest = _verified(rctx, layout, descriptor, "image/manifest.json")
    if descriptor.get("mediaType") in _INDEXES or "manifests" in manifest:
        descriptor = _choose(rctx, manifest.get("manifests", []), "The index in {}".format(layout))
        manifest = _verified(rctx, layout, descriptor, "image/manifest.json")
    config = _verified(rctx, layout, manifest["config"], "image/config.json")

    layers = []
    for layer, diff_id in zip(manifest["layers"], config["rootfs"]["diff_ids"]):
        encoded = layer["digest"].partition(":")[2]
        rctx.symlink(_blob(rctx, layout, layer).realpath, "image/blobs/" + encoded)
        if encoded + ".layer.json" in layers:
            continue
        rctx.file("image/{}.layer.json".format(encoded), json.encode({
            "mediaType": layer["mediaType"],
            "digest": layer["digest"],
            "size": layer["size"],
            "diffId": diff_id,
        }))
        layers.append(encoded + ".layer.json")
    rctx.file("image/descriptor.json", json.encode({
        "mediaType": descriptor.get("mediaType") or manifest["mediaType"],
        "digest": descriptor["digest"],
        "size": descriptor["size"],
        "platform": {key: config[key] for key in ["os", "architecture", "variant"] if config.get(key)},
    }))
    rctx.file("image/BUILD.bazel", _BUILD.format(image_import = Label(":image_import.bzl"), layers = json.encode(layers)))

layout_repository = repository_rule(
    implementation = _layout_repository_impl,
    local = True,
    doc = """`@NAME//image`: the image in an OCI layout on this machine (OCI image specification 1.1, "Image Layout"). The layout's files may be links.

Slipway verifies the digests of manifest and configuration. Errors: no such folder; no image for the platform; a wrong digest.
""",
    attrs = LAYOUT_ATTRS,
)
