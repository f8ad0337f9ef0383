"""The action that makes one layer."""

load("@bazel_skylib//rules:common_settings.bzl", "BuildSettingInfo")
load("//bazel/private:build_tool.bzl", "BUILD_TOOL_TOOLCHAIN", "build_tool_args", "run_build_tool")
load("//bazel/private:glob.bzl", "compile_pattern", "pattern_matches")

LAYER_ATTRS = {
    "_compression": attr.label(default = Label("//bazel/settings:compression"), providers = [BuildSettingInfo]),
}

LAYER_TOOLCHAINS = [BUILD_TOOL_TOOLCHAIN]

# The folder of a program's runfiles in its image.
RUNFILES = "app/main.runfiles"

_SUFFIX = {"gzip": ".tar.gz", "none": ".tar", "zstd": ".tar.zst"}

def layer_entry(kind, destination, source = None, attributes = None):
    """One line of a layer. src/build documents the kinds.

    Args:
      kind: string: `file`, `symlink`, `empty` or `directory`.
      destination: string, path in the image; relative to the layer's root if there is one.
      source: string, the file or the link's target.
      attributes: dict of `mode`, `uid` and `gid` to int, for files and directories. Default: 0755 and 0:0.

    Returns:
      string.
    """
    return json.encode([kind, destination] + [part for part in [source, attributes] if part])

def _file_entry(file):
    return layer_entry("file", file.short_path, file.path)

def _placed_entry(excludes, folders, workspace_name):
    """A function from a File to its line, in the folder that `folders` gives; None for an excluded file."""
    patterns = [compile_pattern(pattern) for pattern in excludes]

    def entry(file):
        path = file.short_path[3:] if file.short_path.startswith("../") else workspace_name + "/" + file.short_path
        repository, _, rest = path.partition("/")
        if repository in folders:
            path = folders[repository] + "/" + rest
        for pattern in patterns:
            if pattern_matches(pattern, path):
                return None
        return layer_entry("file", "../" + path, file.path) if repository in folders else _file_entry(file)

    return entry

def _tree_entry(file):
    return json.encode(["tree", file.path]) if file.is_directory else None

def _link_entry(file):
    return json.encode(["link", file.path])

def make_layer(ctx, name, comment, files = depset(), links = depset(), entry_files = [], root = "", entries = [], excludes = [], folders = {}, platform = None, program = None):
    """Declares the action that makes a layer.

    Args:
      ctx: the rule context, with LAYER_ATTRS and LAYER_TOOLCHAINS.
      name: string, name of the outputs without their endings.
      comment: string, a description of the layer, for people.
      files: depset of File, each at its place in the runfiles of the main repository, below `root`.
      links: depset of File: declared links. Those that are not in `files` have no effect.
      entry_files: list of File: the source files of `entries`.
      root: string, the folder in the image that paths are relative to.
      entries: list of strings from layer_entry.
      excludes: list of patterns of paths below the runfiles folder. Matching `files` are left out.
      folders: dict of repository name to the runfiles folder with its `files`, if the folder has another name.
      platform: struct from oci_platform or None: with another platform than the build machine's, the action refuses native programs for the build machine.
      program: File or None: the executable. The action refuses it if it is native and not for `platform`.

    Returns:
      struct(metadata = File, blob = File, packages = File).
    """
    args, layer = layer_action_args(ctx, "layer", name, comment)
    if root:
        args.add(root, format = "--root=%s")
    if platform:
        args.add("{}/{}".format(platform.os, platform.architecture), format = "--platform=%s")
    if program:
        args.add(program, format = "--program=%s")
    args.add_all(entries)

    # Bazel expands these only when the action runs. Members of tree artifacts are known by then.
    args.add_all(files, map_each = _placed_entry(excludes, folders, ctx.workspace_name) if excludes or folders else _file_entry, allow_closure = True)
    args.add_all(files, map_each = _tree_entry, expand_directories = False)
    if links:
        args.add_all(links, map_each = _link_entry, expand_directories = False)
    run_layer_action(ctx, args, layer, depset(entry_files, transitive = [files]), comment)
    return layer

def layer_action_args(ctx, command, name, comment):
    """Declares the outputs of an action that makes a layer.

    Args:
      ctx: the rule context, with LAYER_ATTRS and LAYER_TOOLCHAINS.
      command: string, the build tool's command.
      name: string, name of the outputs without their endings.
      comment: string, a description of the layer, for people.

    Returns:
      Args with these outputs, struct(metadata = File, blob = File, packages = File).
    """
    compression = ctx.attr._compression[BuildSettingInfo].value
    blob = ctx.actions.declare_file(name + _SUFFIX[compression])
    metadata = ctx.actions.declare_file(name + ".layer.json")
    packages = ctx.actions.declare_file(name + ".packages.json")
    args = build_tool_args(ctx, command)
    args.add(blob, format = "--output=%s")
    args.add(metadata, format = "--metadata=%s")
    args.add(packages, format = "--packages=%s")
    args.add(compression, format = "--compression=%s")
    args.add(comment, format = "--comment=%s")
    return args, struct(metadata = metadata, blob = blob, packages = packages)

def run_layer_action(ctx, args, layer, inputs, comment):
    """Declares an action that makes a layer.

    Args:
      ctx: the rule context, with LAYER_ATTRS and LAYER_TOOLCHAINS.
      args: Args.
      layer: struct(metadata = File, blob = File, packages = File).
      inputs: depset of File.
      comment: string, a description of the layer, for people.
    """
    run_build_tool(
        ctx,
        args,
        inputs = inputs,
        outputs = [layer.blob, layer.metadata, layer.packages],
        mnemonic = "ImageLayer",
        progress_message = "Making layer ({}) of %{{label}}".format(comment),
    )
