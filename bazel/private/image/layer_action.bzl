"""The action that makes one layer."""

load("@bazel_skylib//rules:common_settings.bzl", "BuildSettingInfo")
load("//bazel/private:build_tool.bzl", "BUILD_TOOL_ATTRS", "build_tool_args", "run_build_tool")

LAYER_ATTRS = BUILD_TOOL_ATTRS | {
    "_compression": attr.label(default = Label("//bazel/settings:compression"), providers = [BuildSettingInfo]),
}

# The folder of a program's runfiles in its image.
RUNFILES = "app/main.runfiles"

_SUFFIX = {"gzip": ".tar.gz", "none": ".tar", "zstd": ".tar.zst"}

def layer_entry(kind, destination, source = None):
    """One line of a layer: see src/build for the kinds.

    Args:
      kind: string: `file`, `symlink`, `readlink`, `empty` or `directory`.
      destination: string, path in the image; relative to the layer's root if there is one.
      source: string or dict, what the kind asks for.

    Returns:
      string.
    """
    return json.encode([kind, destination] + ([source] if source != None else []))

def file_entry(file):
    """The line of a file at its place in the runfiles of the main repository: for `map_each`."""
    return layer_entry("file", file.short_path, file.path)

def member_entry(file):
    """The line of a member of a tree artifact: for `map_each`, which gets them one by one."""
    if file.is_directory:
        return None
    return json.encode(["member", file.short_path, file.path, file.tree_relative_path])

def link_entry(file):
    """The line of a link that is declared as one: for `map_each`."""
    return layer_entry("readlink", file.short_path, file.path)

def make_layer(ctx, name, comment, inputs, sources = [], root = "", entries = [], command = "layer", platform = None, program = None):
    """Declares the action that makes a layer.

    Args:
      ctx: the rule context, with LAYER_ATTRS.
      name: string, name of the outputs without their endings.
      comment: string, what the layer holds, for people.
      inputs: depset of Files.
      sources: list of (depset or list, function that gives the line of an element, or None for none).
      root: string, the folder in the image that paths are relative to.
      entries: list of strings from layer_entry.
      command: string, the build tool's command: what the lines mean.
      platform: struct from oci_platform or None: native programs of the machine that builds are refused where it is another.
      program: File or None: what starts, refused also when it is for a third platform.

    Returns:
      struct(metadata = File, blob = File).
    """
    compression = ctx.attr._compression[BuildSettingInfo].value
    blob = ctx.actions.declare_file(name + _SUFFIX[compression])
    metadata = ctx.actions.declare_file(name + ".layer.json")
    args = build_tool_args(ctx, command)
    args.add(blob, format = "--output=%s")
    args.add(metadata, format = "--metadata=%s")
    args.add(compression, format = "--compression=%s")
    args.add(comment, format = "--comment=%s")
    if root:
        args.add(root, format = "--root=%s")
    if platform:
        args.add("{}/{}".format(platform.os, platform.architecture), format = "--platform=%s")
    if program:
        args.add(program, format = "--program=%s")
    args.add_all(entries)
    for elements, map_each in sources:
        args.add_all(elements, map_each = map_each, allow_closure = True)
    run_build_tool(
        ctx,
        args,
        inputs = inputs,
        outputs = [blob, metadata],
        mnemonic = "ImageLayer",
        progress_message = "Making layer ({}) of %{{label}}".format(comment),
    )
    return struct(metadata = metadata, blob = blob)
