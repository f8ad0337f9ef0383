"""The macro behind `service`."""

load("//bazel/private:common_attributes.bzl", "check_attributes")
load("//bazel/private:label_text.bzl", "label_text")
load("//bazel/private/run:pipeline_run.bzl", "pipeline_run")
load(":service_command.bzl", "IMAGE_VARIABLE", "service_command")
load(":service_spec.bzl", "service_spec")

def service(name, spec, image = None, registry = "", repository = "", tags = ["manual"], **kwargs):
    """A long-running service that answers on a port, in Kubernetes or on this machine (docs/services.md).

    ```starlark
    service(
        name = "greeter",
        image = ":server_image",
        spec = "greeter.yaml",
    )
    ```

    | target | `bazel run` |
    |---|---|
    | `greeter` | pushes `image`, then runs `slipway service apply` with its digest and your arguments: `bazel run //pkg:greeter -- --wait` |
    | `greeter_local` | the same with `--engine container`: podman or docker on this machine |
    | `greeter_plan` | `slipway service plan`: shows what `apply` would change; pushes nothing |
    | `greeter_render` | `slipway service render`: prints the Kubernetes manifests; pushes nothing |
    | `greeter_delete` | `slipway service rm` for the services in the file |

    `greeter_spec` is the file. Bazel checks it when it builds one of these targets or all targets. A mistake in it fails the build with file, line
    and column.

    Errors at load: an unknown attribute; `registry` or `repository` without `image`. Errors at build: mistakes in the file; with `image`, no service without the
    field `image`; without `image`, a service without that field.

    Args:
      name: string, the name of the targets. The names of the services are in the file.
      spec: label of a YAML or JSON file with one or more services.
      image: label of an `image` of this repository, such as `NAME_image` of a pipeline, for the services without the field `image`. Default: none; the
        file names all images.
      registry: string, `HOST` or `HOST:PORT`: the registry for `image`. Default: the variable SLIPWAY_REGISTRY, else the build setting `registry`, else
        the embedded registry.
      repository: string. Default: the build setting `repository_prefix` plus the package's path.
      tags: list of strings. Default: `manual` on every target but `NAME_spec`.
      **kwargs: `visibility`, `testonly`, `target_compatible_with` and other attributes of every target.
    """
    where = "service {}".format(label_text(native.package_relative_label(name)))
    check_attributes(where, kwargs, ["image", "registry", "repository", "spec"])
    if (registry or repository) and not image:
        fail("{}: `registry` or `repository` is set, but `image` is not.\nSet `image`, or leave them out.".format(where))
    checked = name + "_spec"
    service_spec(
        name = checked,
        spec = spec,
        has_image = image != None,
        tags = [tag for tag in tags if tag != "manual"],
        **kwargs
    )

    def command_target(target, command, has_image):
        service_command(
            name = target,
            command = command,
            has_image = has_image,
            spec = checked,
            tags = tags,
            **kwargs
        )

    for suffix, command, push in [
        ("", ["apply"], True),
        ("_local", ["apply", "--engine", "container"], True),
        # `plan` and `render` only read, so they need no pushed image.
        ("_plan", ["plan"], False),
        ("_render", ["render"], False),
    ]:
        target = name + suffix
        if not image:
            command_target(target, command, False)
            continue
        command_target(target + "_command", command, True)
        pipeline_run(
            name = target,
            program = target + "_command",
            push = push,
            images = [image],
            image_env = [IMAGE_VARIABLE],
            registry = registry,
            repository = repository,
            tags = tags,
            **kwargs
        )
    command_target(name + "_delete", ["delete"], False)
