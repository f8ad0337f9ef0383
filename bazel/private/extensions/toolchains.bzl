"""The module extension for Slipway's own tools."""

load("//bazel/private/node:node_repository.bzl", "NODE_PLATFORMS", "node_repository")
load("//bazel/private/npm:npm_repository.bzl", "npm_repository")
load("//bazel/private/npm:package_manager.bzl", "package_managers")
load("//src:tools.bzl", "tool_packages")

def slipway_tool_repositories():
    """Declares Node for every platform, the package managers, the bundler, the Python compiler, and the npm packages of the tools' sources."""
    for platform in NODE_PLATFORMS:
        node_repository(name = "slipway_node_" + platform, platform = platform)
    package_managers()
    npm_repository(
        name = "slipway_esbuild",
        package_json = Label("//bazel/private/ts:package.json"),
        pnpm_lock = Label("//bazel/private/ts:pnpm-lock.yaml"),
        # The install script puts the native binary in place.
        run_install_scripts = ["esbuild"],
    )
    npm_repository(
        name = "slipway_pyodide",
        package_json = Label("//bazel/private/python:package.json"),
        pnpm_lock = Label("//bazel/private/python:pnpm-lock.yaml"),
    )
    tool_packages()

def _toolchains_impl(mctx):
    slipway_tool_repositories()
    return mctx.extension_metadata(reproducible = True)

toolchains = module_extension(
    implementation = _toolchains_impl,
    doc = "Declares the repositories of Slipway's own tools. Only Slipway's MODULE.bazel needs it.",
)
