"""A repository of npm packages, as a lock file pins them."""

load(":pnpm.bzl", "pnpm_install")

# A flat node_modules: what Bazel globs and what Node resolves are the same folders, without links.
_WORKSPACE = """nodeLinker: hoisted
onlyBuiltDependencies: {}
"""

def _npm_repository_impl(rctx):
    rctx.symlink(rctx.attr.package_json, "package.json")
    rctx.symlink(rctx.attr.pnpm_lock, "pnpm-lock.yaml")
    rctx.file("pnpm-workspace.yaml", _WORKSPACE.format(json.encode(rctx.attr.run_install_scripts)))
    pnpm_install(rctx, prod = not rctx.attr.dev)
    node = rctx.which("node")
    result = rctx.execute([node, rctx.path(rctx.attr._describe), ".", str(Label(":npm_package.bzl"))] + rctx.attr.excludes)
    if result.return_code != 0:
        fail("{}: {}".format(rctx.name, result.stderr))
    rctx.file("BUILD.bazel", result.stdout)
    return rctx.repo_metadata(reproducible = True) if hasattr(rctx, "repo_metadata") else None

npm_repository = repository_rule(
    implementation = _npm_repository_impl,
    doc = """The npm packages of a `package.json`, pinned by its `pnpm-lock.yaml`.

Every package is a target of its name, with what it needs: `@npm//:csv-parse`, `@npm//:@scope/name`. The machine's npm brings the
package manager; addresses and credentials of the registry come from the machine's own npm configuration, never from the lock file.

Errors: no npm on PATH; a lock that is not of the package.json; a package whose integrity is another.
""",
    attrs = {
        "package_json": attr.label(mandatory = True, allow_single_file = True, doc = "The package.json."),
        "pnpm_lock": attr.label(mandatory = True, allow_single_file = True, doc = "The pnpm-lock.yaml beside it (lockfileVersion 9)."),
        "dev": attr.bool(doc = "Whether devDependencies are installed too. Default: no."),
        "excludes": attr.string_list(doc = "Patterns of files that the targets do not have, below the folder of any package. Default: none."),
        "run_install_scripts": attr.string_list(doc = "Packages whose install scripts may run. Default: none."),
        "_describe": attr.label(default = Label(":describe.mjs"), allow_single_file = True),
    },
)
