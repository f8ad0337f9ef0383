"""Slipway's tools for repository rules, run from source. A release replaces this file with one that uses bundles."""

load("//bazel/private/npm:npm_repository.bzl", "npm_repository")  # buildifier: disable=bzl-visibility

_MODULES = {
    "debian": Label("//src/debian:repository/main.ts"),
    "pull": Label("//src/build:pull/main.ts"),
}

def repository_tool(rctx, name, packages):
    """A tool for a repository rule.

    Args:
      rctx: the repository context.
      name: string: `debian` or `pull`.
      packages: whether this call needs the tool's npm packages.

    Returns:
      path of a module for Node. If staged with its packages, it is in the folder `tool`.
    """
    module = _MODULES[name]
    script = rctx.path(module)
    if not packages:
        return script

    # The tool finds its npm packages in the node_modules beside it.
    source = script
    for _ in module.name.split("/") + module.package.split("/")[1:]:
        source = source.dirname
    rctx.symlink(source, "tool/src")
    rctx.symlink(rctx.path(Label("@slipway_npm//:package.json")).dirname.get_child("node_modules"), "tool/node_modules")
    return rctx.path("tool/{}/{}".format(module.package, module.name))

def tool_packages():
    """Declares the repository of the tools' npm packages."""
    npm_repository(
        name = "slipway_npm",
        package_json = Label("//:package.json"),
        pnpm_lock = Label("//:pnpm-lock.yaml"),
        # Bundles do not need declarations, and each file is a target to analyse. They are 2 of 5 files.
        excludes = ["**/*.d.{}".format(ending) for ending in ["cts", "mts", "ts"]],
    )
