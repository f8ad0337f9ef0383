"""The runfiles of a program, sorted by how often they change."""

load("//bazel/private:glob.bzl", "compile_pattern", "pattern_matches")
load("//bazel/private:runfiles.bzl", "runfiles_path")
load("//bazel/private:third_party.bzl", "THIRD_PARTY_LAYERS", "apparent_name", "package_of", "third_party_layer")

# What repositories with an interpreter are called, after what module extensions put before it.
RUNTIME_REPOSITORIES = ["nodejs_", "python_3", "python3_", "remotejdk", "slipway_node_"]

RUNTIME = "runtime"
FIRST_PARTY = "first_party"

# All layers of third-party packages.
THIRD_PARTY = "third_party"

# The names of those, by number.
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

    # Packages of the workspace itself, in the store that rules_js makes.
    return FIRST_PARTY if "/.aspect_rules_js/" in path and "@0.0.0/node_modules/" in path else THIRD_PARTY

def sorted_files(ctx, files, runfiles, declared_links, file_layers, excludes, sorted_folders = []):
    """Sorts files of a program into layers, one by one.

    Whatever an action has as input makes it run again, so the action of a layer must not have the files of another one; and of what the
    rules of others bring, only the path tells where it belongs. "Layers by rate of change" in docs/design.md says what else was measured.

    Args:
      ctx: the rule context.
      files: depset of File.
      runfiles: runfiles: what they have under other names is sorted too.
      declared_links: depset of File: what is a link by declaration.
      file_layers: dict of pattern to the name of a layer: over what the origin of a file says.
      excludes: list of patterns.
      sorted_folders: list of the names of folders in the runfiles: what is in them under other names is sorted already.

    Returns:
      struct(names, layers, repositories). `names` is the list of all layers, in the order runtime, third party, those that `file_layers` names besides,
      first party. `layers` is a dict, of those that have any of these files, of layer name to struct(files, links = lists of File, symlinks = dict of
      runfiles path to File, empty = list of runfiles paths).
      `repositories` is a list of what the repositories of others are called whose files were sorted.
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
        """What the path of a file tells."""
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
        """The layer of what lies at a path and comes from a file at another, or None where it is excluded."""

        # Below another folder alone: one whose name says nothing of the platform.
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

    # Of two files at one path, as rules_js has a source and the copy of it that runs, Bazel lays out the last.
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
