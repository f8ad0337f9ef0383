"""The targets of a folder in src."""

def source_folder(deps = [], entry_points = []):
    """Declares the targets of a folder in src.

    - `modules`: modules to bundle and to import in tests: the folder's own, and those of the folders that it imports from. Without tests, so that
      Bazel does not rebuild tools after an edit of a test.
    - `testdata`: test data, and helpers that tests of other folders import.
    - `sources`: every file, for linters and the type check.

    Args:
      deps: list of strings: the folders of src that its modules import from.
      entry_points: list of strings: entry points of bundles.
    """
    native.filegroup(
        name = "modules",
        srcs = native.glob(
            [
                "**/*.json",
                "**/*.mts",
                "**/*.ts",
            ],
            allow_empty = True,
            exclude = [
                "**/*.test.ts",
                "**/testdata/**",
            ],
        ) + ["//src/%s:modules" % folder for folder in deps],
        visibility = ["//visibility:public"],
    )
    native.filegroup(
        name = "testdata",
        srcs = native.glob(["**/testdata/**"], allow_empty = True),
        visibility = ["//:__subpackages__"],
    )
    native.filegroup(
        name = "sources",
        srcs = native.glob(["**"]),
        visibility = ["//src:__subpackages__"],
    )
    native.exports_files(entry_points, visibility = ["//src:__pkg__", "//tools/release:__pkg__"])
