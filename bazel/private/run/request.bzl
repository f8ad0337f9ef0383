"""Run targets: the launcher, and a request that tells it what to do."""

load("//bazel/private:label_text.bzl", "label_text")
load("//bazel/private:runfiles.bzl", "launcher_script", "runfiles_path")
load(":run_tools_info.bzl", "RunToolsInfo")

# Attributes that macros set, not users.
REQUEST_ATTRS = {
    "module_name": attr.string(doc = "Name of the target's module."),
    "_run_tools": attr.label(default = Label("//bazel/private/run:run_tools"), providers = [RunToolsInfo]),
}

def module_name():
    """The module of the package that Bazel loads, for a macro to pass to its rule. Empty if there is none."""
    return native.module_name() or ""

def package_repository(ctx):
    """The default repository of a rule: the package's path; in a root package, the name of the module or workspace."""
    return (ctx.label.package or getattr(ctx.attr, "module_name", "") or ctx.workspace_name.strip("_")).lower()

def load_target(ctx, image, repository = "", tag = ""):
    """The run target that loads an image into podman or docker, by default under the target's own name."""
    return run_target(ctx, mode = "load", images = [struct(
        target = label_text(ctx.label),
        image = image,
        tag = "default",
        registry = "",
        repository = repository or package_repository(ctx),
        remote_tags = [tag or ctx.label.name],
        remote_tags_file = None,
    )])

def built_layers(image):
    """The layers of an image that the build makes, without those of OCI layouts.

    Args:
      image: ImageInfo or ImageIndexInfo.

    Returns:
      list of File: the blobs of `layers` that are no source files.
    """
    images = image.images if hasattr(image, "images") else [image]
    return [layer.blob for each in images for layer in each.layers if layer.blob and not layer.blob.is_source]

def carried_layers(ctx, image):
    """The layers of an image that its run targets carry.

    Args:
      ctx: the rule context, with REQUEST_ATTRS.
      image: ImageInfo.

    Returns:
      list of File: all blobs; with the build setting `remote_cache`, those that no cache has.
    """
    return [layer.blob for layer in image.layers if layer.blob and not _from_cache(ctx, layer)]

def _from_cache(ctx, layer):
    # Only actions fill a cache. Their layers have the metadata beside them.
    return ctx.attr._run_tools[RunToolsInfo].remote_cache and not layer.blob.is_source and layer.blob.dirname == layer.metadata.dirname

def _describe(ctx, mode, number, entry, carried, needed, placed):
    """The request's entry for one image.

    Args:
      ctx: the rule context.
      mode: string, as in `run_target`.
      number: int, of the image.
      entry: struct, as in `run_target`.
      carried: dict of runfiles path to File. Gets the files of single-platform images.
      needed: list of depset of File. Gets the files of layouts.
      placed: dict of runfiles path to File. Gets files whose own path another file already has: the images of an index, and files that a base
        for a fixed platform has in common with the program.

    Returns:
      dict.
    """

    def layout_path(layout, path):
        needed.append(layout.files)
        return path(layout.folder)

    folder = "/".join([part for part in [ctx.workspace_name, ctx.label.package, ctx.label.name + ".images", str(number)] if part])

    def placer(name):
        def place(file):
            path = "{}/{}/{}".format(folder, name, runfiles_path(ctx, file))
            placed[path] = file
            return path

        return place

    place_other = placer("other")

    def carry(file):
        path = runfiles_path(ctx, file)
        if carried.setdefault(path, file) != file:
            return place_other(file)
        return path

    def referrers(image, path):
        # Only a push attaches them, so nothing else builds them.
        if mode != "push":
            return []
        return [
            {"file": path(each.file), "artifactType": each.artifact_type} | ({"isUnstamped": True} if each.unstamped else {})
            for each in image.referrers
        ]

    common = {
        "tag": entry.tag,
        "target": entry.target,
        "registry": entry.registry,
        "repository": entry.repository,
        "remoteTags": entry.remote_tags,
    }
    if entry.remote_tags_file:
        common["remoteTagsFile"] = carry(entry.remote_tags_file)

    def describe(image, path):
        blobs = []
        for layer in image.layers:
            blob = {"metadata": path(layer.metadata)}
            if layer.blob and _from_cache(ctx, layer):
                blob["beside"] = layer.blob.basename
            elif layer.blob:
                blob["blob"] = path(layer.blob)
            blobs.append(blob)
        return common | {
            "descriptor": path(image.descriptor),
            "manifest": path(image.manifest),
            "config": path(image.config),
            "children": [],
            "blobs": blobs,
            "layouts": [layout_path(layout, path) for layout in image.layouts],
            "sources": image.sources,
            "referrers": referrers(image, path),
        }

    if not hasattr(entry.image, "images"):
        return describe(entry.image, carry)

    return common | {
        "descriptor": carry(entry.image.descriptor),
        "manifest": carry(entry.image.manifest),
        "config": "",
        "children": [describe(image, placer(str(number))) for number, image in enumerate(entry.image.images)],
        "blobs": [],
        "layouts": [],
        "sources": [],
        "referrers": referrers(entry.image, carry),
    }

def program_runfiles(ctx, program):
    """Returns the runfiles of a program, with those of the helper that makes the calls of its functions."""
    info = program[DefaultInfo]

    # The executable of a genrule, or a file, has no runfiles that contain it.
    own = ctx.runfiles([info.files_to_run.executable])
    return own.merge_all([info.default_runfiles, ctx.attr._run_tools[RunToolsInfo].engine_runfiles])

def program_environment(program):
    """Returns providers with the variables that `bazel run` sets for a program. A target that runs it hands them on."""
    return [program[RunEnvironmentInfo]] if RunEnvironmentInfo in program else []

def run_target(ctx, mode, images, program = None, image_env = [], run_in = "host", run_options = []):
    """Declares the executable of a run target.

    Args:
      ctx: the rule context, with REQUEST_ATTRS.
      mode: string: `launch`, `binary`, `push` or `load`.
      images: list of struct of the following. `target`: string, label of the run target that the image is of, for errors. `image`: ImageInfo or
        ImageIndexInfo. `tag`: string, the image's name in a pipeline. `registry`:
        string; empty: SLIPWAY_REGISTRY, else the build setting, else the embedded registry. `repository`: string, the repository in the registry.
        `remote_tags`: list of strings, the tags there. `remote_tags_file`: File or None, the tags, one per line, instead of `remote_tags`.
      program: Target or None: the executable that replaces the launcher.
      image_env: list of strings: further variables for the images' URIs.
      run_in: string: `host`, or `image`: the program runs in the default image.
      run_options: list of strings: options of the container client for that.

    Returns:
      struct(executable = File, runfiles = runfiles, layers = depset of File: the layers that the build makes).
    """
    tools = ctx.attr._run_tools[RunToolsInfo]
    carried = {}
    needed = [tools.files]
    placed = {}
    descriptions = [_describe(ctx, mode, number, entry, carried, needed, placed) for number, entry in enumerate(images)]

    # The launcher replaces variables, so that no action has the build status as an input.
    has_variables = [entry for entry in images if entry.remote_tags_file or "{" in "".join(entry.remote_tags)]
    status = [ctx.info_file, ctx.version_file] if tools.stamp and has_variables else []
    request = ctx.actions.declare_file("{}.{}.json".format(ctx.label.name, mode))
    ctx.actions.write(request, json.encode({
        "version": 1,
        "mode": mode,
        "target": label_text(ctx.label),
        "program": runfiles_path(ctx, program[DefaultInfo].files_to_run.executable) if program else None,
        "engineHelper": runfiles_path(ctx, tools.engine_helper) if program else None,
        "runIn": run_in,
        "runOptions": run_options,
        "imageEnv": image_env,
        "registryServer": runfiles_path(ctx, tools.registry_server),
        "defaultRegistry": tools.registry,
        "buildStatus": [runfiles_path(ctx, file) for file in status],
        "images": descriptions,
    } | ({"remoteCache": tools.remote_cache} if tools.remote_cache else {})))

    executable = ctx.actions.declare_file(ctx.label.name)
    ctx.actions.write(
        executable,
        launcher_script(
            tools.command + ["{runfiles}/" + runfiles_path(ctx, request)],
            environment = {"SLIPWAY_RUNFILES": "{runfiles}"},
        ),
        is_executable = True,
    )
    runfiles = ctx.runfiles([request] + status + carried.values(), transitive_files = depset(transitive = needed), root_symlinks = placed)
    if program:
        runfiles = runfiles.merge(program_runfiles(ctx, program))
    return struct(
        executable = executable,
        runfiles = runfiles,
        layers = depset([file for entry in images for file in built_layers(entry.image)]),
    )
