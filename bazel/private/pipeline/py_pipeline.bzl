"""The macro behind `py_pipeline`."""

load("//bazel/private:common_attributes.bzl", "check_attributes")
load("//bazel/private:label_text.bzl", "label_text")
load("//bazel/private/python:python_program.bzl", "python_program")
load(":pipeline.bzl", "PIPELINE_ATTRIBUTES", "pipeline")

_SDK = Label("//python/slipway")

def py_pipeline(
        name,
        main = None,
        srcs = [],
        deps = [],
        data = [],
        imports = [],
        unchecked_imports = [],
        py_binary = None,
        image_module = "",
        **kwargs):
    """A Python program that runs on your machine as a launch script and elsewhere in its own image: `pipeline` for Python.

    ```starlark
    py_pipeline(
        name = "main",
        srcs = glob(["*.py"]),
        deps = ["@pip//:packages"],
    )
    ```

    The program runs on the machine's Python. In the image it runs on the base's Python (`worker_base` has one). Import modules by their path in
    the repository, or from the folder of `main`. The SDK is available: `import slipway`.

    If you use rules_python, pass its rule: `py_binary = py_binary`. `deps` then takes what that rule takes. For an existing target, use
    `pipeline(binary = …)`.

    Errors at build: an import of a module that is neither in `srcs` nor in `deps`. Errors at load: those of `pipeline`; `binary` or `entry_point`, which only `pipeline` takes; neither `main` nor a file `NAME.py`.

    Args:
      name: string, the name of the pipeline.
      main: label of the module that starts. Default: `NAME.py`.
      srcs: labels of the modules that the program imports.
      deps: labels: `@NAME//:packages` of the extension `python`, and `python_library` targets. With `py_binary`: the dependencies that it takes.
      data: labels of files that the program finds in its runfiles.
      imports: list of strings: further import folders, relative to the package.
      unchecked_imports: list of strings: packages and modules that only the image's base has, such as `torch`. The build fails for another import that
        is neither in `srcs` nor in `deps`, unless the program says that it is optional. Not with `py_binary`.
      py_binary: the rule `py_binary` of rules_python. Default: none; the program works without rules_python.
      image_module: string: a Python module that the images start instead of `main`, with `/usr/bin/python3 -m`. Python finds it, `main` and the
        other modules of the program. For Sematic: `sematic.resolvers.worker`, on the base `@sematic_base//image`. Default: the images start `main`.
        With `py_binary`, Python searches the repository, the package, its `imports` and every `site-packages` folder.
      **kwargs: attributes of `pipeline`.
    """
    where = "py_pipeline {}".format(label_text(native.package_relative_label(name)))
    for attribute in ["binary", "entry_point"]:
        if attribute in kwargs:
            fail("{}: py_pipeline has no attribute {}.\nFor a program that is already a target, use pipeline(binary = …).".format(where, attribute))
    if kwargs:
        check_attributes(where, kwargs, PIPELINE_ATTRIBUTES + ["image_module", "imports", "main", "py_binary", "unchecked_imports"])
    if not main:
        main = name + ".py"
        if not native.glob([main], allow_empty = True):
            fail("{}: `main` is not set, and the package has no {}.\nSet `main` to the main module.".format(where, main))
    program = name + "_program"
    common = {key: kwargs[key] for key in ["testonly", "target_compatible_with"] if key in kwargs} | {
        "name": program,
        "main": main,
        "data": data,
        "tags": ["manual"],
        "visibility": ["//visibility:private"],
    }
    if py_binary:
        up = "/".join([".."] * (len(native.package_name().split("/")) + 1 if native.package_name() else 1))
        own = Label("//python:BUILD.bazel").repo_name
        py_binary(
            srcs = srcs if main in srcs else srcs + [main],
            deps = deps,
            imports = imports + (["{}/{}/python".format(up, own)] if own else []),
            **(common | {"data": data + [_SDK]})
        )
    else:
        python_program(srcs = srcs, deps = deps + [_SDK], imports = imports, unchecked_imports = unchecked_imports, **common)
    if image_module:
        worker = name + "_worker"
        python_program(
            srcs = srcs,
            deps = ([program] if py_binary else deps) + [_SDK],
            imports = imports,
            module = image_module,
            **(common | {"name": worker})
        )
        kwargs = {"image_binary": worker} | kwargs
    pipeline(name = name, binary = program, **kwargs)
