"""The runfiles of a program, sorted by how often they change."""

load("//bazel/private:glob.bzl", "compile_pattern", "pattern_matches")
load("//bazel/private:runfiles.bzl", "runfiles_path")

# What repositories with an interpreter are called, after what module extensions put before it.
_RUNTIMES = ["nodejs_", "python_3", "python3_", "remotejdk", "slipway_node_"]

RUNTIME = "runtime"
THIRD_PARTY = "third_party"
FIRST_PARTY = "first_party"

def _layer_of_repository(name):
    apparent = name.split("~")[-1].split("+")[-1]
    for prefix in _RUNTIMES:
        if apparent.startswith(prefix):
            return RUNTIME
    return THIRD_PARTY

def _layer_of_own(path):
    if not path.startswith("node_modules/") and "/node_modules/" not in path:
        return FIRST_PARTY

    # Packages of the workspace itself, in the store that rules_js makes.
    return FIRST_PARTY if "/.aspect_rules_js/" in path and "@0.0.0/node_modules/" in path else THIRD_PARTY

def sorted_files(ctx, runfiles, executable, declared_links, file_layers, excludes):
    """Sorts runfiles into layers.

    The depset is flattened here, once per program: whatever an action has as input makes it run again, so a layer must not have the
    files of another one, and only their paths tell them apart.

    Args:
      ctx: the rule context.
      runfiles: runfiles.
      executable: File, which may be missing in them.
      declared_links: depset of File: what is a link by declaration.
      file_layers: dict of pattern to the name of a layer: over what the origin of a file says.
      excludes: list of patterns.

    Returns:
      dict of layer name to struct(files, trees, links = lists of File, symlinks = dict of runfiles path to File,
      empty = list of runfiles paths). Layers without anything are left out. Order: runtime, third party, those that `file_layers` names
      besides, first party.
    """
    overrides = [(compile_pattern(pattern), layer) for pattern, layer in file_layers.items()]
    exclusions = [compile_pattern(pattern) for pattern in excludes]
    names = [RUNTIME, THIRD_PARTY] + [
        name
        for name in {name: None for name in file_layers.values()}
        if name not in [RUNTIME, THIRD_PARTY, FIRST_PARTY]
    ] + [FIRST_PARTY]
    layers = {name: struct(files = [], trees = [], links = [], symlinks = {}, empty = []) for name in names}
    repositories = {}

    def layer_of(short_path):
        if short_path.startswith("../"):
            repository, slash, _ = short_path[3:].partition("/")
            if not slash:
                # Bazel's `__init__.py` of the runfiles folder itself.
                return FIRST_PARTY
            if repository not in repositories:
                repositories[repository] = _layer_of_repository(repository)
            return repositories[repository]
        return _layer_of_own(short_path)

    def chosen(path, default):
        """The layer of a path in the runfiles, or None where it is excluded."""
        for pattern in exclusions:
            if pattern_matches(pattern, path):
                return None
        for pattern, layer in overrides:
            if pattern_matches(pattern, path):
                return layer
        return default

    symlinks = {ctx.workspace_name + "/" + entry.path: entry.target_file for entry in runfiles.symlinks.to_list()}
    symlinks |= {entry.path: entry.target_file for entry in runfiles.root_symlinks.to_list()}
    links = {file: True for file in declared_links.to_list()}
    by_path = bool(exclusions or overrides)
    for file in depset([executable], transitive = [runfiles.files]).to_list():
        layer = layer_of(file.short_path)
        if by_path or symlinks:
            path = runfiles_path(ctx, file)
            symlinks.pop(path, None)
            if by_path:
                layer = chosen(path, layer)
        if layer:
            part = layers[layer]
            kind = part.links if file in links else part.trees if file.is_directory else part.files
            kind.append(file)
    for path, file in symlinks.items():
        layer = chosen(path, layer_of(file.short_path))
        if layer:
            layers[layer].symlinks[path] = file
    for short_path in runfiles.empty_filenames.to_list():
        path = short_path[3:] if short_path.startswith("../") else ctx.workspace_name + "/" + short_path
        layer = chosen(path, layer_of(short_path))
        if layer:
            layers[layer].empty.append(path)
    return {name: part for name, part in layers.items() if part.files or part.trees or part.links or part.symlinks or part.empty}
