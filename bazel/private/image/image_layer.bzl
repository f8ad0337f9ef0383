"""The rule `image_layer`."""

load(":image_layers_info.bzl", "ImageLayersInfo")
load(":layer_action.bzl", "LAYER_ATTRS", "LAYER_TOOLCHAINS", "layer_entry", "make_layer")
load(":platform.bzl", "OCI_PLATFORM_ATTRS", "oci_platform")
load(":user.bzl", "USER")

def _attributes(ctx, path):
    """The mode and owner of a path, for `layer_entry`."""
    attributes = {}
    mode = ctx.attr.modes.get(path)
    if mode:
        if not mode.isdigit() or len(mode) > 5 or [digit for digit in mode.elems() if digit in "89"]:
            fail("{}: the mode of {} is {}.\nWrite it in octal, as in \"0644\".".format(ctx.label, path, repr(mode)))
        attributes["mode"] = int(mode, 8)
    owner = ctx.attr.owners.get(path)
    if owner:
        user, _, group = owner.partition(":")
        if not user.isdigit() or not group.isdigit():
            fail("{}: the owner of {} is {}.\nWrite two numbers, as in \"1000:1000\".".format(ctx.label, path, repr(owner)))
        attributes |= {"uid": int(user), "gid": int(group)}
    return attributes

def _image_layer_impl(ctx):
    entries = []
    inputs = []
    for attribute in ["modes", "owners"]:
        for path in getattr(ctx.attr, attribute):
            if path not in ctx.attr.files and path not in ctx.attr.directories:
                fail("{}: {} has {}, which is not in `files` or `directories`.\nWrite the path exactly as there.".format(ctx.label, attribute, path))
    for destination, target in ctx.attr.files.items():
        attributes = _attributes(ctx, destination)
        files = target[DefaultInfo].files.to_list()
        inputs += files
        for file in files:
            if file.is_directory:
                fail("{}: {} is a folder, whose files are not known before it is built.\nUse a target whose outputs are files.".format(ctx.label, file.short_path))
            path = destination + file.basename if destination.endswith("/") else destination
            if len(files) > 1 and not destination.endswith("/"):
                fail("{}: {} has {} files, but the destination {} is for one.\nEnd the destination with a slash to put them into that folder.".format(ctx.label, target.label, len(files), destination))
            entries.append(layer_entry("file", path.lstrip("/"), file.path, attributes))
    for path, target in ctx.attr.symlinks.items():
        entries.append(layer_entry("symlink", path.lstrip("/"), target))
    for path in ctx.attr.directories:
        entries.append(layer_entry("directory", path.strip("/"), attributes = _attributes(ctx, path)))
    for path in ctx.attr.writable_directories:
        entries.append(layer_entry("directory", path.strip("/"), attributes = {"uid": USER.uid, "gid": USER.gid}))
    layer = make_layer(ctx, ctx.label.name, ctx.label.name, entries = entries, entry_files = inputs, platform = oci_platform(ctx))
    return [
        DefaultInfo(files = depset([layer.blob, layer.metadata])),
        ImageLayersInfo(layers = [layer], program = None),
    ]

image_layer = rule(
    implementation = _image_layer_impl,
    doc = """A reproducible layer of files, links and folders that you choose: sorted, with time 0.

```starlark
image_layer(
    name = "config",
    files = {
        "/etc/app/app.conf": ":app.conf",
        "/etc/ssl/extra/": ":certificates",
    },
    modes = {"/etc/app/app.conf": "0600"},
    owners = {"/etc/app/app.conf": "1000:1000"},
    symlinks = {"/usr/bin/app": "/app/main"},
)
```

The layer follows the OCI image specification 1.1, "Filesystem Layers". Errors: a file and a link with the same path; several files in a target whose
path does not end with a slash; a target whose output is a folder; a mode or an owner of a path that is not in `files` or `directories`.
""",
    attrs = {
        "files": attr.string_keyed_label_dict(allow_files = True, doc = "Path in the image to the target with the file. A path that ends with a slash is a folder for all files of its target. Default: none."),
        "modes": attr.string_dict(doc = "Path, as in `files` or `directories`, to its permissions in octal: `0600`. Default: 0755."),
        "owners": attr.string_dict(doc = "Path, as in `files` or `directories`, to its owner, `UID:GID`. Default: 0:0."),
        "symlinks": attr.string_dict(doc = "Path of a link in the image to the path that it points at, absolute or relative to the link. Default: none."),
        "directories": attr.string_list(doc = "Paths of empty folders in the image. Default: none."),
        "writable_directories": attr.string_list(doc = "Paths of empty folders that belong to 1000:1000, the default user of programs. Default: none."),
    } | OCI_PLATFORM_ATTRS | LAYER_ATTRS,
    toolchains = LAYER_TOOLCHAINS,
)
