"""The runfiles of a program, sorted by how often they change."""

load("//bazel/private:glob.bzl", "compile_pattern", "pattern_matches")
load("//bazel/private:runfiles.bzl", "runfiles_path")
load("//bazel/private:third_party.bzl", "THIRD_PARTY_LAYERS", "apparent_name", "package_of", "third_party_layer")

# Prefixes of the apparent names of repositories with an interpreter.
RUNTIME_REPOSITORIES = ["nodejs_", "python_3", "python3_", "remotejdk", "slipway_node_"]

RUNTIME = "runtime"
FIRST_PARTY = "first_party"

# Stands for all layers in THIRD_PARTY_NAMES.
THIRD_PARTY = "third_party"
THIRD_PARTY_NAMES = ["{}_{}".format(THIRD_PARTY, number) for number in range(THIRD_PARTY_LAYERS)]

def _layer_of_repository(repository):
    apparent = apparent_name(repository)
    for prefix in RUNTIME_REPOSITORIES:
        if apparent.startswith(prefix):
            return RUNTIME
    return THIRD_PARTY

def _layer_of_own(path):
    if "/node_modules/" not in path:
        return FIRST_PARTY

    # The workspace's own packages, in the package store of rules_js.
    return FIRST_PARTY if "/.aspect_rules_js/" in path and "@0.0.0/node_modules/" in path else THIRD_PARTY

def sorted_files(ctx, files, runfiles, declared_links, file_layers, excludes, sorted_folders = []):
    """Sorts a program's files into layers, one by one.

    Every input of an action makes the action run again, so a layer's action must not have the files of another layer. For files from other
    rulesets, only the path says which layer they belong to. See "Layers by rate of change" in docs/design.md.

    Args:
      ctx: the rule context.
      files: depset of File.
      runfiles: runfiles, whose symlinks and empty files are sorted too.
      declared_links: depset of File: declared links.
      file_layers: dict of pattern to the name of a layer. Overrides the layer that a file's path gives.
      excludes: list of patterns.
      sorted_folders: list of runfiles folders whose root symlinks are already sorted.

    Returns:
      struct(names, layers, repositories). `names` is the list of all layers, in the order runtime, third party, further names in `file_layers`,
      first party. `layers` is a dict of layer name to struct(files, links = lists of File, symlinks = dict of runfiles path to File, empty = list of
      runfiles paths), for layers with any of these files.
      `repositories` is a list of the apparent names of other repositories with sorted files.
    """
    overrides = [(compile_pattern(pattern), layer) for pattern, layer in file_layers.items()]
    exclusions = [compile_pattern(pattern) for pattern in excludes]
    names = [RUNTIME] + THIRD_PARTY_NAMES
    for name in file_layers.values():
        if name not in names and name not in [THIRD_PARTY, FIRST_PARTY]:
            names.append(name)
    names.append(FIRST_PARTY)
    layers = {}
    own = ctx.workspace_name + "/"
    repositories = {}
    packages = {}

    def origin(path):
        """The layer that a file's path gives."""
        if path.startswith(own):
            return _layer_of_own(path)
        repository, slash, _ = path.partition("/")
        if not slash:
            # Bazel's `__init__.py` of the runfiles folder itself.
            return FIRST_PARTY
        if repository not in repositories:
            repositories[repository] = _layer_of_repository(repository)
        return repositories[repository]

    def layer_of(path, source):
        """The layer for a runfiles path whose content is the file at the path `source`; None if it is excluded."""

        # The paths differ only in the first folder if the runfiles folder leaves out the repository's platform.
        named = path if not path.startswith(own) and path.partition("/")[2] == source.partition("/")[2] else source
        for pattern in exclusions:
            if pattern_matches(pattern, path):
                return None
        layer = None
        for pattern, name in overrides:
            if pattern_matches(pattern, path):
                layer = name
                break
        layer = layer or origin(source)
        if layer == THIRD_PARTY:
            package = package_of(named)
            if package not in packages:
                packages[package] = THIRD_PARTY_NAMES[third_party_layer(package)]
            layer = packages[package]
        if layer not in layers:
            layers[layer] = struct(files = [], links = [], symlinks = {}, empty = [])
        return layers[layer]

    symlinks = {own + entry.path: entry.target_file for entry in runfiles.symlinks.to_list()}
    symlinks |= {
        entry.path: entry.target_file
        for entry in runfiles.root_symlinks.to_list()
        if entry.path.partition("/")[0] not in sorted_folders
    }
    links = {file: True for file in declared_links.to_list()}

    # rules_js has a source and its copy at one path. Bazel lays out the last.
    last = {}
    for file in files.to_list():
        path = file.short_path
        last[path[3:] if path.startswith("../") else own + path] = file
    for path, file in last.items():
        symlinks.pop(path, None)
        layer = layer_of(path, path)
        if layer:
            layer.files.append(file)
            if file in links:
                layer.links.append(file)
    for path, file in symlinks.items():
        layer = layer_of(path, runfiles_path(ctx, file))
        if layer:
            layer.symlinks[path] = file
    for short_path in runfiles.empty_filenames.to_list():
        path = short_path[3:] if short_path.startswith("../") else own + short_path
        layer = layer_of(path, path)
        if layer:
            layer.empty.append(path)
    return struct(names = names, layers = layers, repositories = [apparent_name(repository) for repository in repositories])
