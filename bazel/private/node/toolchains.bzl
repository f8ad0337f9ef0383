"""The toolchains that Slipway registers by itself."""

load(":node_repository.bzl", "NODE_PLATFORMS")

def declare_node_toolchains():
    """Declares, for every platform that Node is published for, a toolchain of either type.

    A repository that a resolution does not choose is never fetched.
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
