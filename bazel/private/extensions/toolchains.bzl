"""The module extension behind Slipway's own tools."""

load("//bazel/private/node:node_repository.bzl", "NODE_PLATFORMS", "node_repository")
load("//bazel/private/npm:npm_repository.bzl", "npm_repository")

def slipway_tool_repositories():
    """Declares the repositories that Slipway's tools are made of: Node for every platform, and the tools' npm packages."""
    for platform in NODE_PLATFORMS:
        node_repository(name = "slipway_node_" + platform, platform = platform)
    npm_repository(
        name = "slipway_npm",
        package_json = Label("//:package.json"),
        pnpm_lock = Label("//:pnpm-lock.yaml"),
        # Its install script puts the native binary in place.
        run_install_scripts = ["esbuild"],
    )

def _toolchains_impl(mctx):
    slipway_tool_repositories()
    return mctx.extension_metadata(reproducible = True)

toolchains = module_extension(
    implementation = _toolchains_impl,
    doc = "Declares the repositories of Slipway's own tools. Slipway's MODULE.bazel uses it; other modules have no need to.",
)
