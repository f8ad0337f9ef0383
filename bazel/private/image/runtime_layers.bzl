"""Layers that several programs share."""

load("//bazel/private:runtime_info.bzl", "RuntimeInfo")
load(":image_layers_info.bzl", "ImageLayersInfo")

RuntimeLayersInfo = provider(
    doc = "Image layers with the runtime file that many programs have in common.",
    fields = {
        "layers": "list of struct(metadata = File, blob = File, packages = File): the layers with the runtime file.",
    },
)

def _runtime_layers_impl(_target, ctx):
    return [RuntimeLayersInfo(layers = ctx.attr._node_layer[ImageLayersInfo].layers)]

# An aspect, so that only images depend on the layer. A program alone needs no image action.
runtime_layers = aspect(
    implementation = _runtime_layers_impl,
    required_providers = [RuntimeInfo],
    attrs = {
        "_node_layer": attr.label(default = Label("//bazel/private/image:node_layer"), providers = [ImageLayersInfo]),
    },
    doc = "Adds the Node layer to Node programs.",
)
