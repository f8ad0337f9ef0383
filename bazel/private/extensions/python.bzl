"""The module extension that brings Python packages for `py_pipeline`."""

load("//bazel/private:module_choice.bzl", "declare_by_module")
load("//bazel/private/python:packages_repository.bzl", "python_packages")

def _declare(name, tag):
    python_packages(name = name, requirements = tag.requirements, python_version = tag.python_version)

def _python_impl(mctx):
    declare_by_module(mctx, "python packages", "install", "requirements", _declare, targets = ["packages"])
    return mctx.extension_metadata(reproducible = True)

python = module_extension(
    implementation = _python_impl,
    doc = """Python packages for programs that do not use the pip of rules_python.

```starlark
python = use_extension("@slipway//bazel:extensions.bzl", "python")
python.install(name = "pip", requirements = "//:requirements.txt")
use_repo(python, "pip")
```

Several modules may use one name: a `py_pipeline` or `python_library` gets the packages that its own module declares.
""",
    tag_classes = {
        "install": tag_class(
            doc = "Installs what one locked requirements file pins.",
            attrs = {
                "name": attr.string(mandatory = True, doc = "Name of the repository: its packages are `@name//:packages`."),
                "requirements": attr.label(mandatory = True, doc = "The file: every package with `==` and `--hash=sha256:…`."),
                "python_version": attr.string(default = "3.11", doc = "The version of Python that they are for. Default: that of the default bases."),
            },
        ),
    },
)
