"""The rule for npm packages."""

load("//bazel/private:runfiles_parts.bzl", "merge_parts")

def _npm_package_impl(ctx):
    own = depset(transitive = [target[DefaultInfo].files for target in ctx.attr.srcs])
    files = depset(transitive = [own] + [target[DefaultInfo].files for target in ctx.attr.deps])
    return [
        DefaultInfo(files = files, runfiles = ctx.runfiles(transitive_files = files)),
        merge_parts(ctx.attr.deps, third_party = {ctx.attr.package: own} if ctx.attr.srcs else {}, locks = ctx.files.lock),
    ]

npm_package = rule(
    implementation = _npm_package_impl,
    doc = "One or more npm packages. The targets of an npm repository have this rule.",
    attrs = {
        "deps": attr.label_list(providers = [DefaultInfo], doc = "Further packages."),
        "lock": attr.label(allow_single_file = True, doc = "The lock file of the packages."),
        "package": attr.string(doc = "The package's name."),
        "srcs": attr.label_list(allow_files = True, doc = "The package's files."),
    },
)
