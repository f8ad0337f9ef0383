"""Declares a Node for either of the two toolchain types."""

load(":node_info.bzl", "NodeInfo")

# Runs Slipway's own tools: in build actions, in launchers. Node 24 or newer.
NODE_TOOL_TOOLCHAIN = str(Label("//bazel/toolchains:node_tool_type"))

# Runs the user's program: locally and in the image. Any Node.
NODE_RUNTIME_TOOLCHAIN = str(Label("//bazel/toolchains:node_runtime_type"))

def _node_toolchain_impl(ctx):
    info = NodeInfo(node = ctx.file.node)
    return [platform_common.ToolchainInfo(slipway_node = info), info]

node_toolchain = rule(
    implementation = _node_toolchain_impl,
    doc = """A Node for `toolchain(toolchain_type = …)` of `//bazel/toolchains:node_tool_type` or `:node_runtime_type`.

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
