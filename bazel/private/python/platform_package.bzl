"""Python packages in a repository for one platform."""

load("//bazel/private:runfiles.bzl", "runfiles_path")
load("//bazel/private:runfiles_parts.bzl", "merge_parts")
load(":python_info.bzl", "PythonInfo")
load(":python_library.bzl", "python_info")

def _platform_package_impl(ctx):
    folder = ctx.attr.folder
    own = ctx.runfiles(root_symlinks = {
        folder + "/" + runfiles_path(ctx, file).partition("/")[2]: file
        for file in ctx.files.srcs
    })
    return [
        # No files, because dependents would also put them into the repository's own runfiles folder.
        DefaultInfo(
            files = depset(),
            runfiles = own.merge_all([target[DefaultInfo].default_runfiles for target in ctx.attr.deps]),
        ),
        merge_parts(
            ctx.attr.deps,
            third_party = {ctx.attr.package: depset(ctx.files.srcs)} if ctx.files.srcs else {},
            locks = ctx.files.lock,
            folders = [struct(repository = ctx.label.repo_name, folder = folder)],
        ),
        python_info(
            ctx,
            imports = [folder + "/" + path for path in ctx.attr.imports],
            versions = [ctx.attr.python_version] if ctx.attr.python_version else [],
        ),
    ]

platform_package = rule(
    implementation = _platform_package_impl,
    provides = [PythonInfo],
    doc = """One or more Python packages in a repository for one platform.

In the runfiles, the modules are in a folder whose name does not contain the platform. So the launcher, which names the folder, and packages without
native code are the same for every platform.
""",
    attrs = {
        "srcs": attr.label_list(allow_files = True, doc = "The modules, files of this repository."),
        "deps": attr.label_list(providers = [PythonInfo], doc = "Further packages."),
        "folder": attr.string(mandatory = True, doc = "The runfiles folder that replaces the repository's."),
        "imports": attr.string_list(doc = "Import folders in the repository."),
        "lock": attr.label(allow_single_file = True, doc = "The requirements file that locks the packages."),
        "package": attr.string(doc = "The name of the package, without its version."),
        "python_version": attr.string(doc = "The Python version of the packages, for example `3.11`. Default: any."),
    },
)
