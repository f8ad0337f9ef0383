"""Runfiles sorted by how often they change, without going through them."""

load(":third_party.bzl", "THIRD_PARTY_LAYERS", "third_party_layer")

RunfilesPartsInfo = provider(
    doc = """The runfiles that a target brings to a program, sorted by how often they change, so that the program's layers are made of depsets.

The rules here give it. What the rules of others bring is sorted file by file.
""",
    fields = {
        "first_party": "depset of File: what you wrote.",
        "third_party": "list of depset of File: what others wrote, by the layer that each package belongs to (`third_party_layer`).",
        "unsorted": "depset of File: what rules without this provider bring.",
        "folders": "depset of struct(repository, folder = string): repositories whose files lie in another folder of the runfiles, one that has the same name for every platform.",
    },
)

def merge_parts(targets, first_party = [], third_party = {}, folders = []):
    """The parts of a target that brings what others bring, and its own.

    Targets are told apart by what they are, not by their files. Files and rules of the main repository are first party. Its programs, and
    whatever comes from other repositories, are looked into later.

    Args:
      targets: list of Target: their files and their runfiles are brought.
      first_party: list of File, besides.
      third_party: dict of the name of a package, without its version, to a depset of File, besides.
      folders: list of struct(repository, folder = string), besides.

    Returns:
      RunfilesPartsInfo.
    """
    parts = [target[RunfilesPartsInfo] for target in targets if RunfilesPartsInfo in target]
    own = []
    unsorted = []
    for target in targets:
        info = target[DefaultInfo]

        # A file is its own executable, but has no runfiles.
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
    )
