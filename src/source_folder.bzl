"""The targets of a folder in src."""

load("//tools/testing:node_test.bzl", "vitest_test")

# Tests whose names end in these have targets of their own. The parts are those of tools/testing/machine_repository.bzl.
_KINDS = {
    "cluster": {
        "size": "large",
        "env_inherit": ["KUBECONFIG", "PATH"],
        "tags": ["full", "requires-network"],
        "target_compatible_with": ["@slipway_machine//:kubernetes"],
    },
    # A sandbox hides podman's storage.
    "container": {
        "size": "large",
        "env_inherit": ["HOME", "PATH", "XDG_RUNTIME_DIR"],
        "tags": ["no-sandbox"],
        "target_compatible_with": ["@slipway_machine//:podman"],
    },
    # The container tests once more, with a Docker that the tests start.
    "docker": {
        "size": "large",
        "config": "//src/containers:vitest.docker.config.ts",
        "env_inherit": ["PATH"],
        "tags": ["full", "no-sandbox", "requires-network"],
        "target_compatible_with": ["@slipway_machine//:dockerd"],
    },
    "full": {
        "size": "large",
        "tags": ["full"],
    },
}

_ENDINGS = {
    "cluster": ["**/*.cluster.test.ts"],
    "container": ["**/*.container.test.ts", "**/*.podman.test.ts"],
    "docker": ["**/*.container.test.ts"],
    "full": ["**/*.full.test.ts"],
}

def source_folder(size = "medium", groups = {}, data = [], special = [], container = {}, **kwargs):
    """Declares the targets of a folder in src.

    - the modules by their names, and `sources`, every file, for linters and the type check.
    - `FOLDER_test` and, for tests with an ending of their own, `cluster_test`, `container_test`, `docker_test` and `full_test`.

    Args:
      size: the size of the tests without an ending.
      groups: dict from the name of a target to a list of globs: tests that have a target of their own, so that an edit runs fewer of them.
      data: list of labels, files that the tests read.
      special: list of strings, tests whose targets the caller declares with `vitest_test`.
      container: dict, attributes of `container_test` that differ.
      **kwargs: attributes of the tests without an ending.
    """
    native.exports_files(native.glob(["**/*"], exclude = ["BUILD.bazel"]), visibility = ["//visibility:public"])
    native.filegroup(
        name = "sources",
        srcs = native.glob(["**"]),
        visibility = ["//src:__subpackages__"],
    )
    plain = special + [pattern for patterns in _ENDINGS.values() for pattern in patterns]
    grouped = [pattern for patterns in groups.values() for pattern in patterns]
    for name, patterns, exclude in [
        (native.package_name().split("/")[-1].replace("-", "_") + "_test", ["**/*.test.ts"], grouped + plain),
    ] + [(name, patterns, plain) for name, patterns in groups.items()]:
        tests = native.glob(patterns, exclude = exclude, allow_empty = True)
        if tests:
            vitest_test(name = name, size = size, tests = tests, srcs = data, **kwargs)
    for kind, attributes in _KINDS.items():
        tests = native.glob(_ENDINGS[kind], exclude = special, allow_empty = True)
        if tests:
            own = attributes | (container if kind == "container" else {})
            vitest_test(name = kind + "_test", tests = tests, srcs = data, **own)
