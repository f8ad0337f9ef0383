"""The effect of an edit on layers."""

load("//bazel/private/image:image_layers_info.bzl", "ImageLayersInfo")  # buildifier: disable=bzl-visibility

def _edit_impl(_settings, attr):
    return {"//test/rulesets:edited": attr.edited}

_edit = transition(implementation = _edit_impl, inputs = [], outputs = ["//test/rulesets:edited"])

def _digests_after_edit_impl(ctx):
    output = ctx.actions.declare_file(ctx.label.name + ".json")
    metadata = [layer.metadata for layer in ctx.attr.layers[0][ImageLayersInfo].layers]
    args = ctx.actions.args()
    args.add(output)
    args.add_all(metadata)
    ctx.actions.run_shell(
        inputs = metadata,
        outputs = [output],
        arguments = [args],
        command = "out=$1; shift; { echo '['; s=; for f; do printf '%s' \"$s\"; cat \"$f\"; s=,; done; echo ']'; } >\"$out\"",
    )
    return [DefaultInfo(files = depset([output]))]

digests_after_edit = rule(
    implementation = _digests_after_edit_impl,
    doc = "The metadata of a program's layers after an edit of one of its files or packages, as a JSON list.",
    attrs = {
        "edited": attr.string(doc = "Name of the edited file or package. Empty: none."),
        "layers": attr.label(mandatory = True, cfg = _edit, providers = [ImageLayersInfo], doc = "The layers."),
        "_allowlist_function_transition": attr.label(default = "@bazel_tools//tools/allowlists/function_transition_allowlist"),
    },
)
