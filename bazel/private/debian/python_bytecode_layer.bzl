"""Layers with the bytecode of Debian's Python."""

load("//bazel/private/image:image_layers_info.bzl", "ImageLayersInfo")
load("//bazel/private/image:layer_action.bzl", "LAYER_ATTRS", "layer_action_args")
load("//bazel/private/python:python_compiler.bzl", "COMPILED_PYTHON_VERSION", "PYTHON_COMPILER_ATTRS", "run_python_compiler")

def python_packages_of(packages):
    """The Debian packages with Python's standard library, for the Python version that Slipway compiles.

    Args:
      packages: list of strings, labels whose last part is `NAME.deb`.

    Returns:
      list of strings.
    """
    names = ["libpython{}-{}.deb".format(COMPILED_PYTHON_VERSION, part) for part in ["minimal", "stdlib"]]
    return [package for package in packages if package.rpartition("/")[2] in names]

def _python_bytecode_layer_impl(ctx):
    args, layer = layer_action_args(ctx, "bytecode", ctx.label.name, "Python bytecode")
    args.add_all(ctx.files.packages, map_each = _deb_entry)
    run_python_compiler(ctx, args, ctx.files.packages, [layer.blob, layer.metadata, layer.packages])
    return [
        DefaultInfo(files = depset([layer.blob, layer.metadata])),
        ImageLayersInfo(layers = [layer], program = None),
    ]

def _deb_entry(file):
    return json.encode(["deb", file.path])

python_bytecode_layer = rule(
    implementation = _python_bytecode_layer_impl,
    doc = """The bytecode of Python modules in Debian packages, as one layer.

Use it only on top of these packages, because Python does not compare the bytecode with its source. Without the layer, Python would compile the
modules at each start of a container.
""",
    attrs = {
        "packages": attr.label_list(mandatory = True, allow_files = [".deb"], doc = "The packages."),
    } | LAYER_ATTRS | PYTHON_COMPILER_ATTRS,
)
