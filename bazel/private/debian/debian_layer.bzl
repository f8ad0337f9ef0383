"""Layers of Debian packages."""

load("//bazel/private/image:image_layers_info.bzl", "ImageLayersInfo")
load("//bazel/private/image:layer_action.bzl", "LAYER_ATTRS", "LAYER_TOOLCHAINS", "layer_action_args", "run_layer_action")
load("//bazel/private/image:user.bzl", "USER")

def _deb_entry(file):
    return json.encode(["deb", file.path])

def _debian_layer_impl(ctx):
    packages = depset(transitive = [target[DefaultInfo].files for target in ctx.attr.packages])
    comment = "Debian packages"
    args, layer = layer_action_args(ctx, "debian", ctx.label.name, comment)
    args.add(json.encode(["user", USER]))
    args.add_all(packages, map_each = _deb_entry)
    run_layer_action(ctx, args, layer, packages, comment)
    return [
        DefaultInfo(files = depset([layer.blob, layer.metadata])),
        ImageLayersInfo(layers = [layer], locks = depset(ctx.files.lock), program = None),
    ]

debian_layer = rule(
    implementation = _debian_layer_impl,
    doc = """A root filesystem of Debian packages as one layer.

No maintainer script runs. Slipway itself makes their results: the certificate bundle, accounts (with `slipway`, 1000:1000, and its writable home),
alternatives, the loader's cache and dpkg's database.
""",
    attrs = {
        "lock": attr.label(allow_single_file = True, doc = "The lock of the packages."),
        "packages": attr.label_list(mandatory = True, allow_files = [".deb"], doc = "The packages with all their dependencies."),
    } | LAYER_ATTRS,
    toolchains = LAYER_TOOLCHAINS,
)
