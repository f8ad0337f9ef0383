"""The rule `image_layer`."""

load(":image_layers_info.bzl", "ImageLayersInfo")
load(":layer_action.bzl", "LAYER_ATTRS", "LAYER_TOOLCHAINS", "layer_entry", "make_layer")
load(":platform.bzl", "OCI_PLATFORM_ATTRS", "oci_platform")
load(":user.bzl", "USER")

def _image_layer_impl(ctx):
    entries = []
    inputs = []
    for target, destination in ctx.attr.files.items():
        files = target[DefaultInfo].files.to_list()
        inputs += files
        for file in files:
            if file.is_directory:
                fail("{}: {} is a folder, whose files are not known before it is built.\nUse a target whose outputs are files.".format(ctx.label, file.short_path))
            path = destination + file.basename if destination.endswith("/") else destination
            if len(files) > 1 and not destination.endswith("/"):
                fail("{}: {} has {} files, but the destination {} is for one.\nEnd the destination with a slash to put them into that folder.".format(ctx.label, target.label, len(files), destination))
            entries.append(layer_entry("file", path.lstrip("/"), file.path))
    for path, target in ctx.attr.symlinks.items():
        entries.append(layer_entry("symlink", path.lstrip("/"), target))
    for path in ctx.attr.directories:
        entries.append(layer_entry("directory", path.strip("/")))
    for path in ctx.attr.writable_directories:
        entries.append(layer_entry("directory", path.strip("/"), {"mode": 493, "uid": USER.uid, "gid": USER.gid}))
    layer = make_layer(ctx, ctx.label.name, ctx.label.name, entries = entries, entry_files = inputs, platform = oci_platform(ctx))
    return [
        DefaultInfo(files = depset([layer.blob, layer.metadata])),
        ImageLayersInfo(layers = [layer], program = None),
    ]

image_layer = rule(
    implementation = _image_layer_impl,
    doc = """A reproducible layer of files, links and folders that you choose: mode 0755, owner 0:0, time 0, sorted.

```starlark
image_layer(
    name = "config",
    files = {":app.conf": "/etc/app/app.conf", ":certificates": "/etc/ssl/extra/"},
    symlinks = {"/usr/bin/app": "/app/main"},
)
```

The layer follows the OCI image specification 1.1, "Filesystem Layers". Errors: two files with the same path; several files in a target whose path
does not end with a slash; a target whose output is a folder.
""",
    attrs = {
        "files": attr.label_keyed_string_dict(allow_files = True, doc = "Target to its path in the image. A path that ends with a slash is a folder for all files of the target. Default: none."),
        "symlinks": attr.string_dict(doc = "Path of a link in the image to the path that it points at, absolute or relative to the link. Default: none."),
        "directories": attr.string_list(doc = "Paths of empty folders in the image. Default: none."),
        "writable_directories": attr.string_list(doc = "Paths of empty folders that belong to 1000:1000, the default user of programs. Default: none."),
    } | OCI_PLATFORM_ATTRS | LAYER_ATTRS,
    toolchains = LAYER_TOOLCHAINS,
)
