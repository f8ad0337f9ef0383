"""The layer with Node, which all Node programs share."""

load("//bazel/private:runtime_info.bzl", "NODE_PATH")
load("//bazel/private/node:node_toolchain.bzl", "NODE_RUNTIME_TOOLCHAIN")
load(":image_layers_info.bzl", "ImageLayersInfo")
load(":layer_action.bzl", "LAYER_ATTRS", "LAYER_TOOLCHAINS", "RUNFILES", "layer_entry", "make_layer")
load(":platform.bzl", "OCI_PLATFORM_ATTRS", "oci_platform")

def _node_layer_impl(ctx):
    node = ctx.toolchains[NODE_RUNTIME_TOOLCHAIN].slipway_node.node
    layer = make_layer(
        ctx,
        ctx.label.name,
        "runtime",
        entries = [layer_entry("file", RUNFILES + "/" + NODE_PATH, node.path)],
        entry_files = [node],
        platform = oci_platform(ctx),
    )
    return [
        DefaultInfo(files = depset([layer.blob, layer.metadata])),
        # A base can already have this layer, with the same digest.
        ImageLayersInfo(layers = [struct(metadata = layer.metadata, blob = layer.blob, packages = layer.packages, unless_in_base = True)], program = None),
    ]

node_layer = rule(
    implementation = _node_layer_impl,
    doc = "One layer with the Node of `//bazel/toolchains:node_runtime_type`, at its path in the runfiles of programs.",
    attrs = LAYER_ATTRS | OCI_PLATFORM_ATTRS,
    toolchains = LAYER_TOOLCHAINS + [NODE_RUNTIME_TOOLCHAIN],
)
