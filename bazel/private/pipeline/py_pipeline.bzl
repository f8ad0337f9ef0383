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
        py_binary = None,
        **kwargs):
    """A Python program that runs here as a launch script and elsewhere in its own image: `pipeline`, for Python.

    ```starlark
    py_pipeline(
        name = "main",
        srcs = glob(["*.py"]),
        deps = ["@pip//:packages"],
    )
    ```

    It runs on the Python of the machine, and in the image on that of the base (`worker_base` has one). Modules are imported by their path in
    the repository, or beside `main`. `import slipway` is there.

    Whoever has rules_python passes its rule, `py_binary = py_binary`, and then `deps` are what that takes; or a target: `pipeline(binary = …)`.

    Errors, at load: those of `pipeline`; `binary` and `entry_point`, which are for `pipeline`; neither `main` nor a file `NAME.py`.

    Args:
      name: string, the name of the pipeline.
      main: label of the module that starts. Default: `NAME.py`.
      srcs: labels of the modules that it imports.
      deps: labels: `@NAME//:packages` of the extension `python`, `python_library` targets; with `py_binary`, what that takes.
      data: labels of files that it finds in its runfiles.
      imports: list of strings: further folders, relative to the package, from which modules are imported.
      py_binary: the rule of that name from rules_python. Default: none, the program needs no rules_python.
      **kwargs: attributes of `pipeline`.
    """
    where = "py_pipeline {}".format(label_text(native.package_relative_label(name)))
    for attribute in ["binary", "entry_point"]:
        if attribute in kwargs:
            fail("{}: it has no attribute {}.\nFor a program that is a target already, use pipeline(binary = …).".format(where, attribute))
    if kwargs:
        check_attributes(where, kwargs, PIPELINE_ATTRIBUTES + ["imports", "main", "py_binary"])
    if not main:
        main = name + ".py"
        if not native.glob([main], allow_empty = True):
            fail("{}: it has no module that starts: the package has no {}.\nSet `main` to that module.".format(where, main))
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
        python_program(srcs = srcs, deps = deps + [_SDK], imports = imports, **common)
    pipeline(name = name, binary = program, **kwargs)
