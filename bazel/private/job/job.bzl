"""The macro behind `job`."""

load("//bazel/private:common_attributes.bzl", "check_attributes")
load("//bazel/private:label_text.bzl", "label_text")
load("//bazel/private/run:pipeline_run.bzl", "pipeline_run")
load(":job_command.bzl", "job_command")
load(":job_document.bzl", "job_document")

def _label(target):
    """A target's label as job documents write it."""
    return label_text(native.package_relative_label(target))

def job(
        name,
        interpreter = None,
        code = None,
        command = None,
        function = None,
        arguments = None,
        environment = None,
        resources = None,
        volumes = None,
        network = None,
        platform = None,
        time_limit = None,
        retries = None,
        matrix = None,
        parallelism = None,
        schedule = None,
        time_zone = None,
        deployment = None,
        images = {},
        registry = "",
        repository = "",
        tags = ["manual"],
        **kwargs):
    """A job: an interpreter, its code, and a command or function. It runs on your machine or on a cluster (docs/jobs.md).

    ```starlark
    job(
        name = "total",
        interpreter = {"ContainerAtTag": {"repository": "docker.io/library/python", "tag": "3.12-slim"}},
        code = {"ServerAvailableFolder": {"code_paths": ["code"]}},
        function = "report:total",
        arguments = [[1, 2, 3]],
        resources = {"cpu": 1, "memory": "256MiB"},
    )
    ```

    The attributes are the fields of a job's YAML or JSON document, with the same names and meanings. To use such a document, set `deployment` instead.

    | target | `bazel run` |
    |---|---|
    | `total` | pushes the job's own image, if any, then runs `slipway job run` with your arguments: `bazel run //pkg:total -- --detach` |
    | `total_resolve` | the same push, then `slipway job resolve`: writes `total.lock.json` beside the BUILD file, or beside `deployment` |
    | `total_diff` | `slipway job diff`: shows what changed since the lock |

    `total_deployment` is the document. Bazel checks it when it builds one of these targets or all targets. `code_paths` are relative to the BUILD
    file, or to `deployment`.

    Errors at load: an unknown attribute; `deployment` together with its fields. Errors at build: mistakes in the document, such as an unknown field
    or the tag of an image that is no tag, with file, line, column and field.

    Args:
      name: string, the name of the job.
      interpreter: dict of a kind to its fields: `ContainerAtTag`, `ContainerAtDigest`, `PoetryProject`, `CondaEnv`, `PipRequirements`,
        `ServerAvailableInterpreter`. Or `{"ImageTarget": {"target": ":main"}}`, a pipeline, whose image is both interpreter and code. Or the label
        of an `image` of this repository, which is also both.
      code: dict of a kind to its fields: `GitRepoBranch`, `GitRepoCommit`, `git_repo`, `ServerAvailableFolder`. Default: none.
      command: list of strings: arguments of the image, or a program with its arguments.
      function: string, instead of `command`: `module:name` for Python, or the path of a module, whose default export Slipway calls.
      arguments: list of JSON values: the arguments of the function.
      environment: dict of string to string: variables of the job. They override all others.
      resources: dict: `cpu`, a number; `memory`, bytes or a string such as `"512MiB"`; `gpu`, an int; `instance_type`, the name of an instance type
        of `config.yaml`, which the others override.
      volumes: dict of absolute paths, at which the job sees them, to `{"claim": NAME}` or `{"folder": PATH}`, with `"writable": True` if it may
        change them. Folders are relative to the BUILD file, or to `deployment`. Default: none.
      network: string: `none` or `host`. Default: `none` for a container. A process always has the machine's network.
      platform: string, `os/architecture`, of the container image. Default: Linux on this machine's processor.
      time_limit: seconds, or a string such as `"1h30m"`. Default: none.
      retries: int: how often Slipway retries after a failed attempt. Default: 0.
      matrix: dict of string to list of strings, ints and bools: on Kubernetes, the command runs once for each combination of these variables.
      parallelism: int: how many items of `matrix` run at once. Default: 50.
      schedule: string in cron's form, such as `0 3 * * *`: when Kubernetes runs the job.
      time_zone: string, of `schedule`, such as `Europe/Berlin`. Default: that of the cluster.
      deployment: label of a YAML or JSON document, instead of all fields above.
      images: dict of tag to label: the images that `ImageTarget` in `deployment` selects by `tag`.
      registry: string, `HOST` or `HOST:PORT`: the registry for the job's own image. Default: the variable SLIPWAY_REGISTRY, else the build setting
        `registry`, else the embedded registry.
      repository: string. Default: the build setting `repository_prefix` plus the package's path.
      tags: list of strings. Default: `manual` on every target but `NAME_deployment`.
      **kwargs: `visibility`, `testonly`, `target_compatible_with` and other attributes of every target.
    """
    where = "job " + _label(name)
    images = dict(images)
    if interpreter != None and type(interpreter) != "dict":
        # An image of this repository.
        images["default"] = interpreter
        interpreter = {"ImageTarget": {"target": _label(interpreter)}}
    fields = {
        "interpreter": interpreter,
        "code": code,
        "command": command,
        "function": function,
        "arguments": arguments,
        "environment": environment,
        "resources": resources,
        "volumes": volumes,
        "network": network,
        "platform": platform,
        "time_limit": time_limit,
        "retries": retries,
        "matrix": matrix,
        "parallelism": parallelism,
        "schedule": schedule,
        "time_zone": time_zone,
    }
    check_attributes(where, kwargs, fields.keys() + ["deployment", "images", "registry", "repository"])
    fields = {key: value for key, value in fields.items() if value != None}
    document = name + "_deployment"
    folder = ""
    document_attrs = {"document": deployment}
    if deployment:
        if fields:
            fail("{}: both `deployment` and {} are set.\nLeave one of them out.".format(where, ", ".join(["`{}`".format(key) for key in fields])))
    else:
        # The build checks the fields. Here they may have any form.
        pipeline = interpreter.get("ImageTarget") if interpreter else None
        if type(pipeline) == "dict" and type(pipeline.get("target")) == "string" and not images:
            target = native.package_relative_label(pipeline["target"])
            tag = pipeline.get("tag", "default")
            images[tag] = target.same_package_label("{}_{}_image".format(target.name, tag))
            fields["interpreter"] = {"ImageTarget": {"target": _label(target), "tag": tag}}
        folder = native.package_name() or "."
        document_attrs = {"content": json.encode_indent(fields)}
    job_document(name = document, job = name, tags = [tag for tag in tags if tag != "manual"], **(document_attrs | kwargs))

    def command_target(target, what):
        job_command(
            name = target,
            command = what,
            deployment = document,
            folder = folder,
            job = _label(name),
            tags = tags,
            **kwargs
        )

    for target, what in {name: "run", name + "_resolve": "resolve", name + "_diff": "diff"}.items():
        if not images:
            command_target(target, what)
            continue
        command_target(target + "_command", what)
        pipeline_run(
            name = target,
            program = target + "_command",
            # `diff` only compares, so it needs no pushed image.
            push = what != "diff",
            images = images.values(),
            image_tags = images.keys(),
            registry = registry,
            repository = repository,
            tags = tags,
            **kwargs
        )
