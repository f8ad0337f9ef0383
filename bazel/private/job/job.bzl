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
      interpreter: dict of a kind to its fields: `ContainerAtTag`, `ContainerAtDigest`, `ImageTarget`, `PoetryProject`, `CondaEnv`,
        `PipRequirements`, `ServerAvailableInterpreter`. The program or environment that runs the job. A pipeline of this repository,
        whose image has interpreter and code: `{"ImageTarget": {"target": ":main"}}`. Or the label of an `image` of this repository, which
        also has both.
      code: dict of a kind to its fields: `GitRepoBranch`, `GitRepoCommit`, `git_repo`, `ServerAvailableFolder`. The code to run.
        Required for environments from files, not allowed for `ImageTarget`. Default, also `null`: none.
      command: list of strings. Arguments for the image's entrypoint, or a program with its arguments.
      function: string. The function to call instead of a command: `module:name` in Python, or the path of a TypeScript or JavaScript
        module with a default export.
      arguments: list of JSON values. Positional arguments of the function. Default: none.
      environment: dict of string to string. Environment variables of the job. They override all others. `SECRET:NAME` is the value of a
        secret.
      resources: dict. Limits of the job. Default: none. `cpu`: number of CPUs. `memory`: bytes, or a text such as `512MiB`. `gpu`:
        number of GPUs. `instance_type`: an instance type of `config.yaml`, which the other fields override.
      volumes: dict of string to dict. Claims and folders by the absolute path at which the job sees them, such as `{"/data": {"claim":
        "training-data"}}`. It may change those that are `writable`. Folders are relative to the folder of the job, and not for
        Kubernetes. Default: none.
      network: string. Network of the container, `none` or `host`. Default: `none`. Processes have this machine's, pods their cluster's.
      platform: string. Platform of the container image, `os/architecture`. Default: Linux on this machine's processor.
      time_limit: int or string. Timeout of each attempt, in seconds or as a text such as `1h30m`. Default: no timeout.
      retries: int. How many times to retry a failed attempt, from 0 to 100. Default: 0.
      matrix: dict of string to list. On Kubernetes: variables with lists of values. The command runs once for each combination, as the
        items of one job.
      parallelism: int. How many items of `matrix` run at once. Default: 50.
      schedule: string. On Kubernetes: when to run, in cron's form, such as `0 3 * * *`.
      time_zone: string. Time zone of `schedule`, such as `Europe/Berlin`. Default: that of the cluster.
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
