"""The layers of a program."""

load("//bazel/private:executable.bzl", "program_executable", "rule_kind")
load("//bazel/private:runfiles.bzl", "runfiles_path")
load("//bazel/private:runfiles_parts.bzl", "RunfilesPartsInfo")
load("//bazel/private:runtime_info.bzl", "RuntimeInfo")
load("//bazel/private:third_party.bzl", "apparent_name")
load("//bazel/private/python:python_bytecode.bzl", "PythonBytecodeInfo", "python_bytecode")
load(":declared_links.bzl", "DeclaredLinksInfo", "declared_links")
load(":image_layers_info.bzl", "ImageLayersInfo")
load(":layer_action.bzl", "LAYER_ATTRS", "LAYER_TOOLCHAINS", "RUNFILES", "layer_entry", "make_layer")
load(":platform.bzl", "OCI_PLATFORM_ATTRS", "PLATFORM_ATTRS", "image_platform_transition", "oci_platform")
load(":runtime_layers.bzl", "RuntimeLayersInfo", "runtime_layers")
load(":sorted_files.bzl", "FIRST_PARTY", "RUNTIME", "RUNTIME_REPOSITORIES", "THIRD_PARTY_NAMES", "sorted_files")
load(":user.bzl", "USER")

# For a layer without individually sorted files.
_NOTHING = struct(files = [], links = [], symlinks = {}, empty = [])

def _parts(ctx, executable):
    """The program's files by layer: already sorted files as depsets, the others one by one.

    Args:
      ctx: the rule context.
      executable: File, the program's executable.

    Returns:
      struct(layers, folders, environment). `layers` is a dict of layer name to struct(files = depset of File, links = depset of File, entries = list
      of string, entry_files = list of File), lowest layer first. `folders` is a dict of repository name to the runfiles folder with its files.
      `environment` is a dict of variables that the program needs in an image.
    """
    binary = ctx.attr.binary
    runfiles = binary[DefaultInfo].default_runfiles

    # Aspects do not visit files, so the provider can be missing.
    declared_links = binary[DeclaredLinksInfo].links if DeclaredLinksInfo in binary else depset()

    # Patterns of `file_layers` apply to already sorted files too, so all files have to be sorted again.
    known = binary[RunfilesPartsInfo] if RunfilesPartsInfo in binary and not ctx.attr.file_layers else None
    folders = {entry.repository: entry.folder for entry in binary[RunfilesPartsInfo].folders.to_list()} if RunfilesPartsInfo in binary else {}
    unsorted = known.unsorted if known else depset([executable], transitive = [runfiles.files])
    sets = {}
    if known:
        sets = {THIRD_PARTY_NAMES[number]: files for number, files in enumerate(known.third_party)}
        sets[FIRST_PARTY] = known.first_party
    shared = binary[RuntimeInfo].file if RuntimeInfo in binary else None
    bytecode = binary[PythonBytecodeInfo].archives.to_list() if PythonBytecodeInfo in binary else []
    result = {}
    found = sorted_files(ctx, unsorted, runfiles, declared_links, ctx.attr.file_layers, ctx.attr.excludes, sorted_folders = folders.values() if known else [])
    for name in found.names:
        if name not in found.layers and name not in sets:
            continue
        part = found.layers.get(name, _NOTHING)
        files = depset(part.files, transitive = [sets[name]] if name in sets else [])
        if name == RUNTIME:
            # Without the runtime file that has its own layer, shared by programs.
            files = depset([file for file in files.to_list() if file != shared])
        symlinks = {path: file for path, file in part.symlinks.items() if file != shared}

        # The layer takes from an archive only the bytecode of its own modules.
        archives = [
            archive.file
            for archive in bytecode
            if name in THIRD_PARTY_NAMES and (not known or THIRD_PARTY_NAMES[archive.layer] == name)
        ]
        result[name] = struct(
            files = files,
            # Links among already sorted files are in runfiles of the main repository's targets, so in the first-party layer.
            links = declared_links if name == FIRST_PARTY and known else depset(part.links),
            entries = [layer_entry("file", "../" + path, file.path) for path, file in symlinks.items()] +
                      [layer_entry("empty", "../" + path) for path in part.empty] +
                      [json.encode(["bytecode", archive.path]) for archive in archives],
            entry_files = symlinks.values() + archives,
        )
    return struct(
        layers = result,
        folders = folders,
        # Outside Bazel's output tree, js_binary assumes that it is a build action and changes to BAZEL_BINDIR.
        environment = {"BAZEL_BINDIR": "."} if "aspect_rules_js" in found.repositories else {},
    )

def _binary_layers_impl(ctx):
    name = ctx.attr.program_name
    binary = ctx.attr.binary

    # Errors name the pipeline, because users do not know this target.
    executable = program_executable(ctx.label.same_package_label(ctx.label.name.removesuffix("_layers")), "binary", binary)
    for layer in ctx.attr.file_layers.values():
        if not layer or [c for c in layer.elems() if not (c.isalnum() or c in "-_")]:
            fail("{}: {} is not a valid name for a layer.\nUse letters, digits, '-' and '_'.".format(ctx.label, repr(layer)))
    root = RUNFILES + "/" + ctx.workspace_name
    platform = oci_platform(ctx)
    repo_mapping = binary[DefaultInfo].files_to_run.repo_mapping_manifest
    layers = binary[RuntimeLayersInfo].layers if RuntimeLayersInfo in binary else []
    parts = _parts(ctx, executable)
    for part, content in parts.layers.items():
        if not content.files and not content.entries:
            continue
        entries = content.entries
        entry_files = content.entry_files
        if part == FIRST_PARTY:
            entries = entries + [
                # Absolute, because js_binary's launcher follows no relative link to itself.
                layer_entry("symlink", "../../" + name, "/{}/{}".format(RUNFILES, runfiles_path(ctx, executable))),
                layer_entry("directory", "../../.." + USER.home, {"mode": 493, "uid": USER.uid, "gid": USER.gid}),
            ]
            if repo_mapping:
                unmapped = RUNTIME_REPOSITORIES + [apparent_name(repository) for repository in parts.folders]
                entries = entries + [json.encode(["repo_mapping", "../_repo_mapping", repo_mapping.path] + unmapped)]
                entry_files = entry_files + [repo_mapping]
        layers = layers + [make_layer(
            ctx,
            "{}.{}".format(ctx.label.name, part),
            part.replace("_", " "),
            files = content.files,
            links = content.links,
            root = root,
            entries = entries,
            entry_files = entry_files,
            excludes = ctx.attr.excludes,
            folders = parts.folders,
            platform = platform,
            program = executable,
        )]
    return [
        DefaultInfo(files = depset([file for layer in layers for file in [layer.blob, layer.metadata]])),
        ImageLayersInfo(
            layers = layers,
            locks = binary[RunfilesPartsInfo].locks if RunfilesPartsInfo in binary else depset(),
            program = struct(
                entrypoint = ["/app/" + name],
                working_dir = "/" + root,
                env = {"RUNFILES_DIR": "/" + RUNFILES} | parts.environment,
            ),
        ),
    ]

_ATTRS = {
    "binary": attr.label(
        mandatory = True,
        allow_files = True,
        aspects = [declared_links, python_bytecode, rule_kind, runtime_layers],
        doc = "The program. Only its executable and runfiles matter.",
    ),
    "program_name": attr.string(mandatory = True, doc = "NAME in `/app/NAME`."),
    "file_layers": attr.string_dict(doc = "Pattern of paths below `/app/main.runfiles` to the layer of the files that it matches."),
    "excludes": attr.string_list(doc = "Patterns of files to leave out."),
} | OCI_PLATFORM_ATTRS | LAYER_ATTRS

_DOC = """The layers of an executable target, by rate of change: runtime, third-party packages in several layers, first party.

Layers without files are left out. A package's layer depends only on the package's name.

The program is `/app/NAME`, a link into `/app/main.runfiles`, which has the runfiles as Bazel lays them out. That folder has the same name in
every image, so images of different programs share their common layers.
"""

binary_layers = rule(
    implementation = _binary_layers_impl,
    doc = _DOC,
    attrs = _ATTRS,
    toolchains = LAYER_TOOLCHAINS,
)

binary_layers_for_platform = rule(
    implementation = _binary_layers_impl,
    cfg = image_platform_transition,
    doc = _DOC,
    attrs = _ATTRS | PLATFORM_ATTRS,
    toolchains = LAYER_TOOLCHAINS,
)
