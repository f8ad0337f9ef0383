"""The Node toolchains that Slipway registers."""

load(":node_repository.bzl", "NODE_PLATFORMS")

def declare_node_toolchains():
    """Declares a toolchain of each type for every supported platform.

    Bazel fetches only the repositories of the toolchains that it selects.
    """
    for name, platform in NODE_PLATFORMS.items():
        constraints = ["@platforms//os:" + platform.os, "@platforms//cpu:" + platform.cpu]
        native.toolchain(
            name = "node_tool_" + name,
            exec_compatible_with = constraints,
            toolchain = "@slipway_node_{}//:toolchain".format(name),
            toolchain_type = ":node_tool_type",
        )
        native.toolchain(
            name = "node_runtime_" + name,
            target_compatible_with = constraints,
            toolchain = "@slipway_node_{}//:toolchain".format(name),
            toolchain_type = ":node_runtime_type",
        )
