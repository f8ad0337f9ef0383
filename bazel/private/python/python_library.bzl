"""The rule `python_library`, and helpers for rules with its attributes."""

load("//bazel/private:module_choice.bzl", "module_targets")
load("//bazel/private:runfiles_parts.bzl", "merge_parts")
load("//bazel/private:third_party.bzl", "apparent_name")
load(":python_imports.bzl", "PYTHON_IMPORTS_ATTRS", "python_imports")
load(":python_info.bzl", "PythonInfo")

PYTHON_LIBRARY_ATTRS = PYTHON_IMPORTS_ATTRS | {
    "srcs": attr.label_list(allow_files = True, doc = "The modules."),
    "deps": attr.label_list(doc = "Libraries that the modules import, and other targets whose runfiles they need."),
    "data": attr.label_list(allow_files = True, doc = "Files that the modules find in the runfiles."),
    "imports": attr.string_list(doc = "Import folders, relative to the package."),
}

def python_import(ctx, folder):
    """The runfiles path of a folder in a rule's package."""
    return "/".join([part for part in [ctx.label.repo_name or ctx.workspace_name, ctx.label.package, folder] if part and part != "."])

def python_runfiles(ctx):
    """The runfiles of a rule with PYTHON_LIBRARY_ATTRS."""
    targets = ctx.attr.srcs + module_targets(ctx, ctx.attr.deps) + ctx.attr.data
    runfiles = ctx.runfiles(transitive_files = depset(transitive = [target[DefaultInfo].files for target in targets]))
    return runfiles.merge_all([target[DefaultInfo].default_runfiles for target in targets])

def python_info(ctx, imports, versions = []):
    """The imports and versions of a rule with PYTHON_LIBRARY_ATTRS and its dependencies.

    Args:
      ctx: the rule context.
      imports: list of strings, runfiles paths. They come before those of the dependencies.
      versions: list of strings, Python versions.

    Returns:
      PythonInfo.
    """
    deps = [target[PythonInfo] for target in module_targets(ctx, ctx.attr.deps) if PythonInfo in target]
    return PythonInfo(
        imports = depset(imports, transitive = [dep.imports for dep in deps], order = "preorder"),
        versions = depset(versions, transitive = [dep.versions for dep in deps]),
    )

def _python_library_impl(ctx):
    files = depset(transitive = [target[DefaultInfo].files for target in ctx.attr.srcs])
    if ctx.label.workspace_name:
        package = ctx.attr.package or apparent_name(ctx.label.workspace_name)
        parts = merge_parts(module_targets(ctx, ctx.attr.deps) + ctx.attr.data, third_party = {package: files})
    else:
        parts = merge_parts(ctx.attr.srcs + module_targets(ctx, ctx.attr.deps) + ctx.attr.data)
    runfiles = python_runfiles(ctx)
    return python_imports(ctx, runfiles) + [
        DefaultInfo(files = files, runfiles = runfiles),
        parts,
        python_info(
            ctx,
            imports = [python_import(ctx, folder) for folder in ctx.attr.imports],
            versions = [ctx.attr.python_version] if ctx.attr.python_version else [],
        ),
    ]

python_library = rule(
    implementation = _python_library_impl,
    doc = "Python modules that programs and other libraries import.",
    attrs = PYTHON_LIBRARY_ATTRS | {
        "package": attr.string(doc = "The name of the third-party package with the modules, without its version. Default: the repository's name."),
        "python_version": attr.string(doc = "The Python version of the modules, for example `3.11`. Default: any."),
    },
)
