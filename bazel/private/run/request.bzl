"""What a run target carries: the launcher, and a request that tells it what to do."""

load("@bazel_skylib//rules:common_settings.bzl", "BuildSettingInfo")
load("//bazel/private:runfiles.bzl", "launcher_script", "runfiles_path")
load("//bazel/private/ts:tool_providers.bzl", "NODE_TOOL_FLAGS")
load("//bazel/private/ts:ts_tool_info.bzl", "TsToolInfo")

def _host_platform_impl(_settings, _attr):
    # None set means the host's. Naming the host's would be another configuration than the usual one, and everything would be built twice.
    return {"//command_line_option:platforms": []}

# The launcher runs where `bazel run` was typed, whatever is built for.
host_platform_transition = transition(
    implementation = _host_platform_impl,
    inputs = [],
    outputs = ["//command_line_option:platforms"],
)

REQUEST_ATTRS = {
    "_launcher": attr.label(default = Label("//src:launcher"), providers = [TsToolInfo], cfg = host_platform_transition),
    "_engine_helper": attr.label(default = Label("//src:engine_helper"), cfg = host_platform_transition),
    "_registry_server": attr.label(default = Label("//src:registry_server"), providers = [TsToolInfo], cfg = host_platform_transition),
    "_registry": attr.label(default = Label("//bazel/settings:registry"), providers = [BuildSettingInfo]),
    "_allowlist_function_transition": attr.label(default = "@bazel_tools//tools/allowlists/function_transition_allowlist"),
}

def package_repository(ctx):
    """The name in registries and engines that the package of a rule suggests."""
    return (ctx.label.package or ctx.workspace_name.strip("_")).lower()

def image_request(image, tag, repository, remote_tags, registry = ""):
    """What a run target does with one image.

    Args:
      image: ImageInfo or ImageIndexInfo.
      tag: string, the image's name among those of a pipeline.
      repository: string, where it goes in the registry.
      remote_tags: list of strings, its tags there.
      registry: string; empty: SLIPWAY_REGISTRY, else the build setting, else the embedded registry.

    Returns:
      struct.
    """
    return struct(image = image, tag = tag, repository = repository, remote_tags = remote_tags, registry = registry)

def _describe(ctx, entry, carried, needed, placed):
    """What the request says of one image.

    Args:
      ctx: the rule context.
      entry: from image_request.
      carried: list of File, to which the files of an image of one platform are added.
      needed: list of depset of File, to which what layouts need is added.
      placed: dict of runfiles path to File, to which those of an index's images are added: built for several platforms, they would all
        have the same path.

    Returns:
      dict.
    """

    def layout_path(layout, path):
        needed.append(layout.files)
        return path(layout.folder)

    def carry(file):
        carried.append(file)
        return runfiles_path(ctx, file)

    common = {
        "tag": entry.tag,
        "registry": entry.registry,
        "repository": entry.repository,
        "remoteTags": entry.remote_tags,
    }

    def describe(image, path):
        return common | {
            "descriptor": path(image.descriptor),
            "manifest": path(image.manifest),
            "config": path(image.config),
            "children": [],
            "blobs": [
                {"metadata": path(layer.metadata)} | ({"blob": path(layer.blob)} if layer.blob else {})
                for layer in image.layers
            ],
            "layouts": [layout_path(layout, path) for layout in image.layouts],
            "sources": image.sources,
        }

    if not hasattr(entry.image, "images"):
        return describe(entry.image, carry)

    def placer(number):
        folder = "/".join([part for part in [ctx.workspace_name, ctx.label.package, ctx.label.name + ".images", entry.tag, str(number)] if part])

        def place(file):
            path = folder + "/" + runfiles_path(ctx, file)
            placed[path] = file
            return path

        return place

    return common | {
        "descriptor": carry(entry.image.descriptor),
        "manifest": carry(entry.image.manifest),
        "config": "",
        "children": [describe(image, placer(number)) for number, image in enumerate(entry.image.images)],
        "blobs": [],
        "layouts": [],
        "sources": [],
    }

def run_target(ctx, mode, images, program = None, image_env = []):
    """Declares the executable of a run target.

    Args:
      ctx: the rule context, with REQUEST_ATTRS.
      mode: string: `launch`, `binary`, `push` or `load`.
      images: list of image_request.
      program: Target or None: the executable that the launcher becomes.
      image_env: list of strings: further variables that get the images' URIs.

    Returns:
      struct(executable = File, runfiles = runfiles).
    """
    launcher = ctx.attr._launcher[0][TsToolInfo]
    server = ctx.attr._registry_server[0][TsToolInfo]
    helper = ctx.attr._engine_helper[0][DefaultInfo]

    def path(file):
        return runfiles_path(ctx, file)

    carried = []
    needed = []
    placed = {}
    descriptions = [_describe(ctx, entry, carried, needed, placed) for entry in images]
    request = ctx.actions.declare_file("{}.{}.json".format(ctx.label.name, mode))
    ctx.actions.write(request, json.encode({
        "version": 1,
        "mode": mode,
        "target": str(ctx.label).removeprefix("@@"),
        "program": path(program[DefaultInfo].files_to_run.executable) if program else None,
        "engineHelper": path(helper.files_to_run.executable) if program else None,
        "imageEnv": image_env,
        "registryServer": path(server.main),
        "defaultRegistry": ctx.attr._registry[BuildSettingInfo].value,
        "images": descriptions,
    }))

    executable = ctx.actions.declare_file(ctx.label.name)
    module = path(launcher.main) + ("/" + launcher.entry if launcher.entry else "")
    ctx.actions.write(
        executable,
        launcher_script(
            ["{runfiles}/" + path(launcher.node)] + NODE_TOOL_FLAGS + ["{runfiles}/" + module, "{runfiles}/" + path(request)],
            environment = {"SLIPWAY_RUNFILES": "{runfiles}"},
        ),
        is_executable = True,
    )
    files = [request, launcher.main, launcher.node, server.main] + launcher.siblings
    runfiles = ctx.runfiles(files + carried, transitive_files = depset(transitive = needed), root_symlinks = placed)
    if program:
        runfiles = runfiles.merge_all([
            program[DefaultInfo].default_runfiles,
            ctx.runfiles([helper.files_to_run.executable]),
            helper.default_runfiles,
        ])
    return struct(executable = executable, runfiles = runfiles)
