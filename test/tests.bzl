"""Declares tests of several parts at once."""

load("//bazel/private:all_sources.bzl", "all_sources")  # buildifier: disable=bzl-visibility
load("//tools/testing:node_test.bzl", "USER_ENVIRONMENT", "vitest_test")

def part_test(name, tests = [], needs = "", **kwargs):
    """Runs vitest where the machine has the parts that a test needs.

    Args:
      name: name of the target.
      tests: labels of the test files. Default: the file that the target is named after, such as git-ssh.test.ts for git_ssh_test.
      needs: string, the names of the parts, with spaces between them. tools/testing/machine_repository.bzl lists them.
      **kwargs: further attributes of `vitest_test`.
    """
    vitest_test(
        name = name,
        tests = tests or [name.removesuffix("_test").replace("_", "-") + ".test.ts"],
        target_compatible_with = ["@slipway_machine//:" + part for part in needs.split(" ") if part],
        **kwargs
    )

def own_bazel_test(name, size = "enormous", srcs = [], env_inherit = [], **kwargs):
    """Runs a Bazel of the test's own in a copy of this repository, as a user does.

    Args:
      name: name of the target.
      size: the test's size.
      srcs: sources besides those of this repository.
      env_inherit: variables of the caller besides those of users.
      **kwargs: further attributes of `part_test`.
    """
    part_test(
        name = name,
        size = size,
        srcs = ["//:sources"] + srcs,
        env_inherit = USER_ENVIRONMENT + env_inherit,
        # This Bazel uses the whole machine. A sandbox hides podman's storage.
        tags = ["exclusive", "full", "local", "no-sandbox", "requires-network"],
        **kwargs
    )

def sources(patterns = ["**"], without = []):
    """Declares `sources`, and exports the files that tests elsewhere import.

    Args:
      patterns: list of strings, the files.
      without: list of strings, packages that have no `sources`.
    """
    native.exports_files(native.glob(["**/*.ts", "**/*.py", "**/*.txt", "**/*.mjs"], allow_empty = True))
    all_sources(patterns, without)
