"""Declares Node for either of the two toolchain types."""

load(":node_info.bzl", "NodeInfo")

# Runs Slipway's own tools, in build actions and launchers. Node 24 or newer.
NODE_TOOL_TOOLCHAIN = str(Label("//bazel/toolchains:node_tool_type"))

# Runs the user's programs, locally and in images. Any Node version.
NODE_RUNTIME_TOOLCHAIN = str(Label("//bazel/toolchains:node_runtime_type"))

def _node_toolchain_impl(ctx):
    info = NodeInfo(node = ctx.file.node)
    return [platform_common.ToolchainInfo(slipway_node = info), info]

node_toolchain = rule(
    implementation = _node_toolchain_impl,
    doc = """Your own Node, for a `toolchain` with the type `//bazel/toolchains:node_tool_type` or `:node_runtime_type`.

`node_tool_type` runs Slipway's tools and needs Node 24 or newer. `node_runtime_type` runs your programs, locally and in images, with any version.

```starlark
node_toolchain(
    name = "my_node",
    node = "@nodejs_linux_amd64//:bin/nodejs/bin/node",
)

toolchain(
    name = "my_node_toolchain",
    target_compatible_with = ["@platforms//os:linux", "@platforms//cpu:x86_64"],
    toolchain = ":my_node",
    toolchain_type = "@slipway//bazel/toolchains:node_runtime_type",
)
```
""",
    attrs = {
        "node": attr.label(mandatory = True, allow_single_file = True, cfg = "target", doc = "The `node` executable."),
    },
)
