"""The check of the imports of Python modules."""

load("//bazel/private:build_tool.bzl", "build_tool_args")
load("//bazel/private:label_text.bzl", "label_text")
load(":python_compiler.bzl", "PYTHON_COMPILER_ATTRS", "run_python_compiler")

PYTHON_IMPORTS_ATTRS = PYTHON_COMPILER_ATTRS | {
    "unchecked_imports": attr.string_list(doc = "Packages and modules that are neither in `srcs` nor in `deps`, because only the image's base has them: `torch`."),
    "_check_imports": attr.label(default = Label(":check_imports.py"), allow_single_file = True),
}

def _source(file):
    return json.encode(["source", file.short_path, file.path])

def _entry(path, is_folder):
    folder, _, package = path.partition("/site-packages/")
    if package:
        return json.encode(["package", package.partition("/")[0].partition(".")[0]])
    if is_folder:
        return json.encode(["folder", folder])
    return json.encode(["module", path]) if path.endswith(".py") or path.endswith(".so") else None

def _file(file):
    return _entry(file.short_path, file.is_directory)

def _symlink(link):
    return _entry(link.path, link.target_file.is_directory)

def python_imports(ctx, runfiles, main = None):
    """Declares the validation of the imports of a target's own modules. Other modules only have names in it.

    Args:
      ctx: the context of a rule with PYTHON_IMPORTS_ATTRS and `srcs`.
      runfiles: runfiles, with everything that the modules can import.
      main: File: the module that imports the others. Default: all are checked.

    Returns:
      list of providers.
    """
    sources = [file for file in ctx.files.srcs + ([main] if main else []) if file.extension == "py" and not file.short_path.startswith("../")]
    if ctx.label.workspace_name or not sources:
        return []
    marker = ctx.actions.declare_file(ctx.label.name + ".imports")
    args = build_tool_args(ctx, "python-imports")
    args.add(ctx.file._check_imports, format = "--check=%s")
    args.add(marker, format = "--output=%s")
    args.add(label_text(ctx.label), format = "--target=%s")
    if main:
        args.add(main.short_path, format = "--start=%s")
    args.add_all(sources, map_each = _source, uniquify = True)
    args.add_all([json.encode(["package", name]) for name in ctx.attr.unchecked_imports])
    args.add_all(runfiles.files, map_each = _file, uniquify = True, expand_directories = False)
    args.add_all(runfiles.root_symlinks, map_each = _symlink, uniquify = True, expand_directories = False)
    args.add_all(runfiles.symlinks, map_each = _symlink, uniquify = True, expand_directories = False)
    run_python_compiler(
        ctx,
        args,
        sources + [ctx.file._check_imports],
        [marker],
        mnemonic = "PythonImports",
        progress_message = "Checking the imports of %{label}",
    )
    return [OutputGroupInfo(_validation = depset([marker]))]
