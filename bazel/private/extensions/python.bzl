"""The module extension for Python packages, for `py_pipeline`."""

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

Several modules can use the same name. A `py_pipeline` or `python_library` gets the packages that its own module declares.
""",
    tag_classes = {
        "install": tag_class(
            doc = "Installs the packages of one locked requirements file.",
            attrs = {
                "name": attr.string(mandatory = True, doc = "Name of the repository. Its packages are `@NAME//:packages`."),
                "requirements": attr.label(mandatory = True, doc = "The requirements file. Every package needs `==` and `--hash=sha256:…`."),
                "python_version": attr.string(default = "3.11", doc = "The Python version of the packages, 3.11 or newer. Default: the version in the default bases."),
            },
        ),
    },
)
