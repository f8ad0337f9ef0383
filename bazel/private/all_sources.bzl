"""The files of a package, for linters, the type check and the release."""

def all_sources(patterns = ["*"], without = []):
    """Declares `sources`: files of the package, and the `sources` of the packages in it.

    Args:
      patterns: list of strings, the files.
      without: list of strings, packages that have no `sources`.
    """
    folder = native.package_name()
    inside = native.subpackages(include = ["**"], exclude = without, allow_empty = True)
    native.filegroup(
        name = "sources",
        srcs = native.glob(patterns) + ["//{}/{}:sources".format(folder, each) for each in inside],
        visibility = ["//:__subpackages__"],
    )
