"""Repositories of npm packages from a lock file."""

load("//bazel/private:given_name.bzl", "given_name")
load("//bazel/private/node:host_node.bzl", "host_node")
load(":install.bzl", "install_package_lock", "install_pnpm_lock")

# Shared by the rule and the tag of the module extension.
NPM_ATTRS = {
    "package_json": attr.label(mandatory = True, doc = "The package.json."),
    "package_lock": attr.label(doc = "The package-lock.json of npm beside it (lockfileVersion 2 or 3). Set this or `pnpm_lock`."),
    "pnpm_lock": attr.label(doc = "The pnpm-lock.yaml beside it (lockfileVersion 9). Set this or `package_lock`."),
    "dev": attr.bool(doc = "Whether to install devDependencies too. Default: no."),
    "run_install_scripts": attr.string_list(doc = "Packages whose install scripts Slipway runs. Default: none."),
}

def _npm_repository_impl(rctx):
    if bool(rctx.attr.package_lock) == bool(rctx.attr.pnpm_lock):
        fail("npm packages {}: {} `package_lock` and `pnpm_lock` {} set.\nSet the one that your package manager writes.".format(
            given_name(rctx),
            "both" if rctx.attr.pnpm_lock else "neither",
            "are" if rctx.attr.pnpm_lock else "is",
        ))
    if rctx.attr.pnpm_lock:
        install_pnpm_lock(rctx)
    else:
        install_package_lock(rctx)
    result = rctx.execute([host_node(rctx), rctx.path(rctx.attr._describe), ".", str(Label(":npm_package.bzl"))] + rctx.attr.excludes)
    if result.return_code != 0:
        fail("{}: {}".format(rctx.name, result.stderr))
    rctx.file("BUILD.bazel", result.stdout)

    # Install scripts may do anything.
    return rctx.repo_metadata(reproducible = not rctx.attr.run_install_scripts) if hasattr(rctx, "repo_metadata") else None

npm_repository = repository_rule(
    implementation = _npm_repository_impl,
    doc = """The npm packages of a `package.json`, pinned by its `pnpm-lock.yaml` or `package-lock.json`.

Every package is a target with its dependencies: `@npm//:csv-parse`, `@npm//:@scope/name`. You need neither Node nor a package manager on the machine:
Slipway uses its pinned ones. Registry addresses and credentials come from the machine's npm configuration, never from the lock file.

Errors: both lock files, or neither; a missing or outdated lock file, or one of an unsupported version; a package whose integrity differs from the
locked one; a package without an integrity in a `package-lock.json`, such as a git dependency.
""",
    attrs = NPM_ATTRS | {
        "excludes": attr.string_list(doc = "Patterns of files to leave out, below each package's folder. Default: none."),
        "_describe": attr.label(default = Label(":describe.mjs"), allow_single_file = True),
    },
)
