"""Slipway's tools before anything is built. Here they run from their sources; a release has bundles, and another file in place of this one."""

load("//bazel/private/npm:npm_repository.bzl", "npm_repository")  # buildifier: disable=bzl-visibility

_MODULES = {
    "debian": Label("//src/debian:repository/main.ts"),
    "pull": Label("//src/registry:base/main.ts"),
}

def repository_tool(rctx, name, packages):
    """A tool that a repository rule can run.

    Args:
      rctx: the repository context.
      name: string: `debian` or `pull`.
      packages: whether it needs its npm packages this time.

    Returns:
      path, of a module for Node; what it was staged in is `tool`.
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
    """Declares the repository of the npm packages that the tools are built from."""
    npm_repository(
        name = "slipway_npm",
        package_json = Label("//:package.json"),
        pnpm_lock = Label("//:pnpm-lock.yaml"),
        # Bundles are made without them, and every file is a target to analyse: they are 2 of 5.
        excludes = ["**/*.d.{}".format(ending) for ending in ["cts", "mts", "ts"]],
    )
