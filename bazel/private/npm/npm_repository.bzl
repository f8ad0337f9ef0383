"""A repository of npm packages, as a lock file pins them."""

load("//bazel/private:given_name.bzl", "given_name")
load("//bazel/private/node:host_node.bzl", "host_node")
load(":install.bzl", "install_package_lock", "install_pnpm_lock")

# What the rule and the tag of the module extension share.
NPM_ATTRS = {
    "package_json": attr.label(mandatory = True, doc = "The package.json."),
    "package_lock": attr.label(doc = "npm's package-lock.json beside it (lockfileVersion 2 or 3). This or `pnpm_lock` is required."),
    "pnpm_lock": attr.label(doc = "The pnpm-lock.yaml beside it (lockfileVersion 9). This or `package_lock` is required."),
    "dev": attr.bool(doc = "Whether devDependencies are installed too. Default: no."),
    "run_install_scripts": attr.string_list(doc = "Packages whose install scripts may run. Default: none."),
}

def _npm_repository_impl(rctx):
    if bool(rctx.attr.package_lock) == bool(rctx.attr.pnpm_lock):
        fail("npm packages {}: {} of package_lock and pnpm_lock.\nName the one lock file that your package manager writes.".format(
            given_name(rctx),
            "both" if rctx.attr.pnpm_lock else "neither",
        ))
    if rctx.attr.pnpm_lock:
        install_pnpm_lock(rctx)
    else:
        install_package_lock(rctx)
    result = rctx.execute([host_node(rctx), rctx.path(rctx.attr._describe), ".", str(Label(":npm_package.bzl"))] + rctx.attr.excludes)
    if result.return_code != 0:
        fail("{}: {}".format(rctx.name, result.stderr))
    rctx.file("BUILD.bazel", result.stdout)
    return rctx.repo_metadata(reproducible = True) if hasattr(rctx, "repo_metadata") else None

npm_repository = repository_rule(
    implementation = _npm_repository_impl,
    doc = """The npm packages of a `package.json`, pinned by its `pnpm-lock.yaml` or `package-lock.json`.

Every package is a target of its name, with what it needs: `@npm//:csv-parse`, `@npm//:@scope/name`. The pinned package manager runs on the pinned
Node, so the machine needs neither. Addresses and credentials of the registry come from the machine's own npm configuration, never from the lock file.

Errors: a lock file that is missing, out of date or of another version; a package whose integrity differs from the locked one.
""",
    attrs = NPM_ATTRS | {
        "excludes": attr.string_list(doc = "Patterns of files that the targets do not have, below the folder of any package. Default: none."),
        "_describe": attr.label(default = Label(":describe.mjs"), allow_single_file = True),
    },
)
