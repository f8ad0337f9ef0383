"""A folder of src as a Bazel package."""

def source_folder(deps = [], entry_points = []):
    """Declares what every folder of src has.

    - `modules`: what tools may bundle and tests may import: the folder's modules and those of the folders that it imports from.
      Tests stay out, so that editing one builds no tool again.
    - `testdata`: what its tests read, and helpers that tests of other folders import.
    - `sources`: every file, for linters and the type check.

    Args:
      deps: list of strings: the folders of src that its modules import from.
      entry_points: list of strings: modules at which a bundle starts.
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
