"""The bytecode of Python packages in images."""

load("//bazel/private:build_tool.bzl", "build_tool_args")
load("//bazel/private:third_party.bzl", "third_party_layer")
load("//bazel/private/image:layer_action.bzl", "RUNFILES")
load(":python_compiler.bzl", "COMPILED_PYTHON_VERSION", "PYTHON_COMPILER_ATTRS", "run_python_compiler")
load(":python_info.bzl", "PythonInfo")

PythonBytecodeInfo = provider(
    doc = "The bytecode of Python packages, only for images.",
    fields = {
        "archives": "depset of struct(layer = int, file = File): a tar file for each package, and the number of its layer (`third_party_layer`).",
    },
)

def _archive(ctx, package):
    # Tests can be half of a package, and programs do not import them.
    modules = [file for file in ctx.rule.files.srcs if file.extension == "py" and "/tests/" not in file.short_path]
    if not modules:
        return []
    folder = "{}/{}/".format(RUNFILES, package.folder)

    def entry(file):
        return json.encode(["file", folder + file.short_path.removeprefix("../").partition("/")[2], file.path])

    archive = ctx.actions.declare_file(ctx.label.name + ".bytecode.tar")
    metadata = ctx.actions.declare_file(ctx.label.name + ".bytecode.json")
    args = build_tool_args(ctx, "bytecode")
    args.add(archive, format = "--output=%s")
    args.add(metadata, format = "--metadata=%s")
    args.add("--compression=none")
    args.add_all(modules, map_each = entry, allow_closure = True)
    run_python_compiler(ctx, args, modules, [archive, metadata])
    return [struct(layer = third_party_layer(package.package), file = archive)]

def _python_bytecode_impl(_target, ctx):
    attributes = ctx.rule.attr
    is_package = ctx.rule.kind == "platform_package" and attributes.python_version == COMPILED_PYTHON_VERSION
    return [PythonBytecodeInfo(archives = depset(
        _archive(ctx, attributes) if is_package else [],
        transitive = [dep[PythonBytecodeInfo].archives for dep in attributes.deps if PythonBytecodeInfo in dep],
    ))]

# An aspect, so that only images need the actions and the compiler. A program alone needs neither.
python_bytecode = aspect(
    implementation = _python_bytecode_impl,
    attr_aspects = ["deps"],
    required_providers = [PythonInfo],
    attrs = PYTHON_COMPILER_ATTRS,
    doc = "Compiles the packages of a Python program.",
)
