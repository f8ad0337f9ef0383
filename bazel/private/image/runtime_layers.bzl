"""The layers of a program that other programs share."""

load("//bazel/private:runtime_info.bzl", "RuntimeInfo")
load(":image_layers_info.bzl", "ImageLayersInfo")

RuntimeLayersInfo = provider(
    doc = "The part of a program's runfiles that many programs have in common, in image layers that all of them share.",
    fields = {
        "layers": "list of struct(metadata = File, blob = File): the layers with that file.",
    },
)

def _runtime_layers_impl(_target, ctx):
    return [RuntimeLayersInfo(layers = ctx.attr._node_layer[ImageLayersInfo].layers)]

# An aspect, so that it is the image that depends on the layer: a program alone asks for no action of images.
runtime_layers = aspect(
    implementation = _runtime_layers_impl,
    required_providers = [RuntimeInfo],
    attrs = {
        "_node_layer": attr.label(default = Label("//bazel/private/image:node_layer"), providers = [ImageLayersInfo]),
    },
    doc = "Gives a program for Node the layer with Node.",
)
