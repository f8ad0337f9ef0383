"""The layers of a program."""

load("//bazel/private:glob.bzl", "compile_pattern", "pattern_matches")
load("//bazel/private:runfiles.bzl", "runfiles_path")
load(":declared_links.bzl", "DeclaredLinksInfo", "declared_links")
load(":image_layers_info.bzl", "ImageLayersInfo")
load(":layer_action.bzl", "LAYER_ATTRS", "RUNFILES", "file_entry", "layer_entry", "link_entry", "make_layer", "member_entry")
load(":platform.bzl", "OCI_PLATFORM_ATTRS", "PLATFORM_ATTRS", "image_platform_transition", "oci_platform")
load(":runtime_layers.bzl", "RuntimeLayersInfo", "runtime_layers")
load(":sorted_files.bzl", "FIRST_PARTY", "sorted_files")

# The user that programs run as where the base image names none, and its home.
USER = struct(uid = 1000, gid = 1000, home = "/home/slipway")

def _member_entries(ctx):
    """What gives the line of a member of a tree artifact, which no one knows before the build."""
    if not ctx.attr.excludes:
        return member_entry
    patterns = [compile_pattern(pattern) for pattern in ctx.attr.excludes]
    workspace = ctx.workspace_name

    def included(file):
        path = file.short_path[3:] if file.short_path.startswith("../") else workspace + "/" + file.short_path
        for pattern in patterns:
            if pattern_matches(pattern, path):
                return None
        return member_entry(file)

    return included

def _binary_layers_impl(ctx):
    name = ctx.attr.program_name
    binary = ctx.attr.binary
    executable = ctx.executable.binary
    for layer in ctx.attr.file_layers.values():
        if not layer or [c for c in layer.elems() if not (c.isalnum() or c in "-_")]:
            fail("{}: {} is no name for a layer.\nUse letters, digits, '-' and '_'.".format(ctx.label, repr(layer)))
    runtime = binary[RuntimeLayersInfo] if RuntimeLayersInfo in binary else None
    parts = sorted_files(
        ctx,
        binary[DefaultInfo].default_runfiles,
        executable,
        binary[DeclaredLinksInfo].links,
        ctx.attr.file_layers,
        ctx.attr.excludes,
    )
    members = _member_entries(ctx)
    root = RUNFILES + "/" + ctx.workspace_name
    repo_mapping = binary[DefaultInfo].files_to_run.repo_mapping_manifest
    layers = runtime.layers if runtime else []
    for part, content in parts.items():
        files = [file for file in content.files if not runtime or file != runtime.file]
        entries = [layer_entry("file", "../" + path, file.path) for path, file in content.symlinks.items()]
        entries += [layer_entry("empty", "../" + path) for path in content.empty]
        inputs = files + content.trees + content.links + content.symlinks.values()
        if not inputs and not entries:
            continue
        if part == FIRST_PARTY:
            entries.append(layer_entry("symlink", "../../" + name, "main.runfiles/" + runfiles_path(ctx, executable)))
            entries.append(layer_entry("directory", "../../.." + USER.home, {"mode": 493, "uid": USER.uid, "gid": USER.gid}))
            if repo_mapping:
                entries.append(layer_entry("file", "../_repo_mapping", repo_mapping.path))
                inputs = inputs + [repo_mapping]
        layers = layers + [make_layer(
            ctx,
            "{}.{}".format(ctx.label.name, part),
            part.replace("_", " "),
            inputs = depset(inputs),
            sources = [(files, file_entry), (content.trees, members), (content.links, link_entry)],
            root = root,
            entries = entries,
            platform = oci_platform(ctx),
            program = executable,
        )]
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
    doc = """The layers of any executable target, by rate of change: runtime, third party, first party. One without files is left out.

The program is `/app/NAME`, a link into `/app/main.runfiles`, where its runfiles are as Bazel lays them out. That folder has the same name
in every image, so that images of different programs share the layers that they have in common.
""",
    attrs = {
        "binary": attr.label(
            mandatory = True,
            executable = True,
            cfg = "target",
            aspects = [declared_links, runtime_layers],
            doc = "The program: its executable and runfiles are all that counts.",
        ),
        "program_name": attr.string(mandatory = True, doc = "NAME in `/app/NAME`."),
        "file_layers": attr.string_dict(doc = "Pattern of a path below `/app/main.runfiles` to the layer of what it matches."),
        "excludes": attr.string_list(doc = "Patterns of what is left out."),
    } | PLATFORM_ATTRS | OCI_PLATFORM_ATTRS | LAYER_ATTRS,
)
