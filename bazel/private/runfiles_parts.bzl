"""Runfiles sorted by how often they change, as depsets that stay unexpanded."""

load(":third_party.bzl", "THIRD_PARTY_LAYERS", "third_party_layer")

RunfilesPartsInfo = provider(
    doc = """A target's runfiles, sorted by how often they change, so that a program's layers consist of depsets.

Slipway's rules provide it. Files from rules of other rulesets are sorted one by one.
""",
    fields = {
        "first_party": "depset of File: your own files.",
        "third_party": "list of depset of File: third-party files, by the layer of their package (`third_party_layer`).",
        "unsorted": "depset of File: files from rules without this provider.",
        "folders": "depset of struct(repository, folder = string): repositories whose files are in a runfiles folder with another name, the same for every platform.",
        "locks": "depset of File: the lock files of third-party packages.",
    },
)

def merge_parts(targets, first_party = [], third_party = {}, folders = [], locks = []):
    """The parts of a target: those of its dependencies, and its own.

    A dependency without parts counts as a whole, without a look at its files. In the main repository it is first party. Programs, and targets of
    other repositories, go to `unsorted`.

    Args:
      targets: list of Target: dependencies, with their files and runfiles.
      first_party: list of File: further first-party files.
      third_party: dict of package name, without its version, to a depset of File: further third-party files.
      folders: list of struct(repository, folder = string): further folders.
      locks: list of File: further lock files.

    Returns:
      RunfilesPartsInfo.
    """
    parts = [target[RunfilesPartsInfo] for target in targets if RunfilesPartsInfo in target]
    own = []
    unsorted = []
    for target in targets:
        info = target[DefaultInfo]

        # A file is its own executable, but only programs have a runfiles manifest.
        is_program = info.files_to_run and info.files_to_run.runfiles_manifest
        if RunfilesPartsInfo not in target:
            (unsorted if target.label.workspace_name or is_program else own).extend([info.files, info.default_runfiles.files])
        elif is_program:
            own.append(info.files)
    layers = [[part.third_party[number] for part in parts if part.third_party[number]] for number in range(THIRD_PARTY_LAYERS)]
    for package, files in third_party.items():
        layers[third_party_layer(package)].append(files)
    return RunfilesPartsInfo(
        first_party = depset(first_party, transitive = own + [part.first_party for part in parts]),
        third_party = [depset(transitive = sets) for sets in layers],
        unsorted = depset(transitive = unsorted + [part.unsorted for part in parts]),
        folders = depset(folders, transitive = [part.folders for part in parts]),
        locks = depset(locks, transitive = [part.locks for part in parts]),
    )
