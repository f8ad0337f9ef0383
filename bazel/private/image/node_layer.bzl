"""The layer with Node, which all programs for it share."""

load("//bazel/private/node:node_toolchain.bzl", "NODE_RUNTIME_TOOLCHAIN")
load(":image_layers_info.bzl", "ImageLayersInfo")
load(":layer_action.bzl", "LAYER_ATTRS", "RUNFILES", "make_layer")
load(":platform.bzl", "OCI_PLATFORM_ATTRS", "oci_platform")

def _node_layer_impl(ctx):
    layer = make_layer(
        ctx,
        ctx.label.name,
        "runtime",
        files = depset([ctx.toolchains[NODE_RUNTIME_TOOLCHAIN].slipway_node.node]),
        root = RUNFILES + "/" + ctx.workspace_name,
        platform = oci_platform(ctx),
    )
    return [
        DefaultInfo(files = depset([layer.blob, layer.metadata])),
        ImageLayersInfo(layers = [layer], program = None),
    ]

node_layer = rule(
    implementation = _node_layer_impl,
    doc = "One layer with the Node of `//bazel/toolchains:node_runtime_type`, where the runfiles of a program have it.",
    attrs = LAYER_ATTRS | OCI_PLATFORM_ATTRS,
    toolchains = [NODE_RUNTIME_TOOLCHAIN],
)
