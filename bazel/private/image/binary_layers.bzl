"""The layers of a program."""

load("//bazel/private:program_info.bzl", "ProgramInfo")
load("//bazel/private:runfiles.bzl", "runfiles_path")
load(":image_layers_info.bzl", "ImageLayersInfo")
load(":layer_action.bzl", "LAYER_ATTRS", "RUNFILES", "file_entry", "layer_entry", "make_layer")
load(":platform.bzl", "PLATFORM_ATTRS", "image_platform_transition")

# The user that programs run as where the base image names none, and its home.
USER = struct(uid = 1000, gid = 1000, home = "/home/slipway")

def _is_third_party(file):
    return file.short_path.startswith("../") or "/node_modules/" in file.short_path

def _third_party_entry(file):
    return file_entry(file) if _is_third_party(file) else None

def _first_party_entry(file):
    return None if _is_third_party(file) else file_entry(file)

def _symlink_entry(entry):
    return layer_entry("file", entry.path, entry.target_file.path)

def _root_symlink_entry(entry):
    return layer_entry("file", "../" + entry.path, entry.target_file.path)

def _empty_entry(path):
    return layer_entry("empty", path)

def _sorted_by_origin(ctx, make, entries):
    """Layers of a program that does not sort its files itself: by the repository that each comes from."""
    target = ctx.attr.binary[DefaultInfo]
    runfiles = target.default_runfiles
    files = depset([ctx.executable.binary], transitive = [runfiles.files])
    mapping = target.files_to_run.repo_mapping_manifest
    if mapping:
        entries = entries + [layer_entry("file", "../_repo_mapping", mapping.path)]

    # Links at paths of their own are few, and an action has to name what they point at.
    linked = [entry.target_file for links in [runfiles.symlinks, runfiles.root_symlinks] for entry in links.to_list()]
    return [
        make("third_party", "third party", inputs = files, sources = [(files, _third_party_entry)]),
        make(
            "first_party",
            "first party",
            inputs = depset(linked + ([mapping] if mapping else []), transitive = [files]),
            sources = [
                (files, _first_party_entry),
                (runfiles.symlinks, _symlink_entry),
                (runfiles.root_symlinks, _root_symlink_entry),
                (runfiles.empty_filenames, _empty_entry),
            ],
            entries = entries,
        ),
    ]

def _binary_layers_impl(ctx):
    name = ctx.attr.program_name
    root = RUNFILES + "/" + ctx.workspace_name
    link = layer_entry("symlink", "../../" + name, "main.runfiles/" + runfiles_path(ctx, ctx.executable.binary))
    home = layer_entry("directory", "../../.." + USER.home, {"mode": 493, "uid": USER.uid, "gid": USER.gid})

    def layer(part, comment, **kwargs):
        return make_layer(ctx, "{}.{}".format(ctx.label.name, part), comment, root = root, **kwargs)

    if ProgramInfo in ctx.attr.binary:
        info = ctx.attr.binary[ProgramInfo]
        layers = ctx.attr._node_layer[ImageLayersInfo].layers if info.runtime else []
        if info.third_party:
            layers = layers + [layer("third_party", "third party", inputs = info.third_party, sources = [(info.third_party, file_entry)])]
        first_party = [layer_entry("file", "../" + path, file.path) for path, file in info.root_symlinks.items()]
        layers = layers + [layer(
            "first_party",
            "first party",
            inputs = depset(info.root_symlinks.values(), transitive = [info.first_party]),
            sources = [(info.first_party, file_entry)],
            entries = [link, home] + first_party,
        )]
    else:
        layers = _sorted_by_origin(ctx, layer, [link, home])
    return [
        DefaultInfo(files = depset([file for layer in layers for file in [layer.blob, layer.metadata]])),
        ImageLayersInfo(
            layers = layers,
            program = struct(
                entrypoint = ["/app/" + name],
                working_dir = "/" + root,
                env = {"RUNFILES_DIR": "/" + RUNFILES},
            ),
        ),
    ]

binary_layers = rule(
    implementation = _binary_layers_impl,
    cfg = image_platform_transition,
    doc = """The layers of any executable target, by rate of change: runtime, third party, first party.

The program is `/app/NAME`, a link into `/app/main.runfiles`, where its runfiles are as Bazel lays them out. That folder has the same name
in every image, so that images of different programs share the layers that they have in common.
""",
    attrs = {
        "binary": attr.label(mandatory = True, executable = True, cfg = "target", doc = "The program: its executable and runfiles are all that counts."),
        "program_name": attr.string(mandatory = True, doc = "NAME in `/app/NAME`."),
        "_node_layer": attr.label(default = Label(":node_layer"), providers = [ImageLayersInfo]),
    } | PLATFORM_ATTRS | LAYER_ATTRS,
)
