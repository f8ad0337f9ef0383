"""Tests of this repository that run on Node: vitest, the type check, the linters."""

load("//bazel/private:runfiles.bzl", "FIND_RUNFILES", "runfiles_path", "shell_quote")  # buildifier: disable=bzl-visibility
load("//bazel/private/node:node_toolchain.bzl", "NODE_TOOL_TOOLCHAIN")  # buildifier: disable=bzl-visibility
load("//tools/imports:modules.bzl", "modules_of")

# For tests that run Bazel as a user does: the variables for caches, proxies and certificates.
USER_ENVIRONMENT = [
    "HOME",
    "HTTPS_PROXY",
    "HTTP_PROXY",
    "LANG",
    "LOGNAME",
    "NODE_EXTRA_CA_CERTS",
    "NO_PROXY",
    "PATH",
    "SSL_CERT_FILE",
    "USER",
    "XDG_CACHE_HOME",
    "XDG_RUNTIME_DIR",
    "http_proxy",
    "https_proxy",
    "no_proxy",
]

# Tools search for configuration and packages beside and above the sources, so the test runs in a folder with both.
_STAGE = """
TEST_TMPDIR=${{TEST_TMPDIR:-$(mktemp -d)}}
work=$TEST_TMPDIR/work
{home}
mkdir -p "$work" "$HOME"
cp -RL "$r"/{workspace}/. "$work"
chmod -R u+w "$work"
ln -s "$r"/{modules} "$work/node_modules"
{own_modules}
export RUNFILES_DIR=$r
export PATH="$(dirname "$r"/{node}):$PATH"
cd "$work"
"""

def _node_test_impl(ctx):
    node = ctx.toolchains[NODE_TOOL_TOOLCHAIN].slipway_node.node
    own_modules = ""
    if ctx.attr.own_deps:
        own_modules = "ln -s \"$r\"/{} \"$work\"/{}".format(
            shell_quote(ctx.attr.own_deps[0].label.repo_name + "/node_modules"),
            shell_quote(ctx.label.package + "/node_modules"),
        )
    stage = _STAGE.format(
        workspace = shell_quote(ctx.workspace_name),
        modules = shell_quote(ctx.attr.deps[0].label.repo_name + "/node_modules"),
        node = shell_quote(runfiles_path(ctx, node)),
        own_modules = own_modules,
        home = "" if "HOME" in ctx.attr.env_inherit else "export HOME=$TEST_TMPDIR/home",
    )
    script = ctx.actions.declare_file(ctx.label.name)
    ctx.actions.write(
        script,
        FIND_RUNFILES + stage + "exec node " + ctx.attr.command + "\n",
        is_executable = True,
    )
    files = [target[DefaultInfo].files for target in ctx.attr.srcs + ctx.attr.deps + ctx.attr.own_deps + ctx.attr.data]
    runfiles = ctx.runfiles([node], transitive_files = depset(transitive = files))
    runfiles = runfiles.merge_all([target[DefaultInfo].default_runfiles for target in ctx.attr.data])
    return [
        DefaultInfo(executable = script, runfiles = runfiles),
        RunEnvironmentInfo(
            # Lets a test distinguish the caller's variables from those of Bazel's test runner.
            environment = {"SLIPWAY_TEST_INHERITED": " ".join(ctx.attr.env_inherit)},
            inherited_environment = ctx.attr.env_inherit,
        ),
    ]

_ATTRS = {
    "command": attr.string(mandatory = True, doc = "The arguments of `node`, as words of /bin/sh."),
    "srcs": attr.label_list(allow_files = True, doc = "Sources, copied to their paths in the repository."),
    "data": attr.label_list(allow_files = True, doc = "Further runfiles, executables included. They are in the copy too."),
    "deps": attr.label_list(mandatory = True, doc = "npm packages, all from one npm repository."),
    "own_deps": attr.label_list(doc = "npm packages of another npm repository, for the sources in the test's own package."),
    "env_inherit": attr.string_list(doc = "Variables to inherit from the caller's environment. SLIPWAY_TEST_INHERITED has their names. Without HOME, the test gets an empty one."),
}

node_test = rule(
    implementation = _node_test_impl,
    test = True,
    doc = "A test that runs Node in a copy of the sources, with npm packages beside them.",
    attrs = _ATTRS,
    toolchains = [NODE_TOOL_TOOLCHAIN],
)

node_binary = rule(
    implementation = _node_test_impl,
    executable = True,
    doc = "The same as `node_test`, for `bazel run`.",
    attrs = _ATTRS,
    toolchains = [NODE_TOOL_TOOLCHAIN],
)

_CONFIG = "//:vitest.config.ts"

def _label(name):
    """The label of a file in the form that imports.bzl has."""
    if name.startswith("//") or name.startswith("@"):
        return name
    return "//{}:{}".format(native.package_name(), name.removeprefix(":"))

def vitest_test(name, tests, deps = [], env_inherit = [], srcs = [], config = _CONFIG, tags = [], target_compatible_with = [], **kwargs):
    """Runs vitest and writes one test case to test.xml per case of vitest. The modules and npm packages that the tests import are there.

    Args:
      name: name of the target.
      tests: labels of the test files.
      deps: npm packages besides vitest's own and those that the tests and their modules import.
      env_inherit: variables to inherit from the caller's environment.
      srcs: further files that the tests read.
      config: label of vitest's configuration.
      tags: list of strings, as for every test.
      target_compatible_with: list of labels, as for every test.
      **kwargs: attributes of every test.
    """

    # With remote execution, some tests still run here. The machine's parts were found on this machine, and a farm's workers may lack them. A test
    # outside the sandbox uses what the machine has beside the test's inputs: podman's storage, other users, a Bazel of its own.
    here = "no-sandbox" in tags or [part for part in target_compatible_with if part.startswith("@slipway_machine//")]
    needed = modules_of([_label(file) for file in tests + [config]], mentioned = True)
    sources = needed.modules + ["//:package.json", "//:tsconfig.json", _CONFIG, config] + srcs
    packages = ["@slipway_dev_npm//:" + package for package in ["vitest", "vite", "fast-check"] + needed.packages]
    node_test(
        name = name,
        command = "node_modules/vitest/vitest.mjs run --config {}/{} --configLoader native ".format(
                      native.package_relative_label(config).package or ".",
                      native.package_relative_label(config).name,
                  ) +
                  "--reporter=default --reporter=junit --outputFile.junit=\"$XML_OUTPUT_FILE\" " +
                  " ".join([native.package_name() + "/" + test for test in tests]),
        srcs = {_label(source): None for source in sources}.keys(),
        deps = {package: None for package in packages + deps}.keys(),
        env_inherit = env_inherit,
        tags = tags + (["no-remote-exec"] if here else []),
        target_compatible_with = target_compatible_with,
        **kwargs
    )
