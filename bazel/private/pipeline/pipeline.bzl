"""The macro behind `pipeline`."""

load("//bazel/private:common_attributes.bzl", "check_attributes")
load("//bazel/private:label_text.bzl", "label_text")
load("//bazel/private/image:base_reference.bzl", "refuse_image_reference")
load("//bazel/private/image:binary_layers.bzl", "binary_layers", "binary_layers_for_platform")
load("//bazel/private/image:image_from_layout.bzl", "image_from_layout")
load("//bazel/private/image:image_macro.bzl", "image", "image_manifest_name")
load("//bazel/private/run:image_push.bzl", "image_push")
load("//bazel/private/run:pipeline_run.bzl", "pipeline_run")
load("//bazel/private/ts:ts_binary.bzl", "ts_binary")

_TAG_CHARACTERS = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_."

# What `pipeline` takes, for errors.
PIPELINE_ATTRIBUTES = [
    "base",
    "bases",
    "binary",
    "data",
    "deps",
    "entry_point",
    "entrypoint",
    "env",
    "excludes",
    "file_layers",
    "image_env",
    "image_layers",
    "images",
    "platform",
    "platforms",
    "registry",
    "repository",
    "srcs",
]

# Label of the base where none is given.
_DEFAULT_BASE = Label("//bazel/settings:default_base")

def _where(name):
    """What errors call the pipeline: made for them alone, since most packages have none."""
    return "pipeline {}".format(label_text(native.package_relative_label(name)))

def _bases(name, base, bases, images):
    """The base of each tag that `images` has no image for. The callers' dicts stay as they are."""
    refuse_image_reference("pipeline", name, "base", base)
    for tag, tag_base in bases.items():
        refuse_image_reference("pipeline", name, "bases[{}]".format(repr(tag)), tag_base)
    all = dict(bases)
    if base and "default" in all and native.package_relative_label(all["default"]) != native.package_relative_label(base):
        fail("{}: `base` is {} and bases[\"default\"] is {}, and both are the base of the default image.\nLeave one of them out.".format(_where(name), base, all["default"]))
    for tag in images:
        if tag in all or (tag == "default" and base):
            fail("{}: tag {} has a base and an image that is whole.\nLeave one of them out.".format(_where(name), repr(tag)))
    if "default" not in all and "default" not in images:
        all["default"] = base or _DEFAULT_BASE
    for tag in all.keys() + images.keys():
        if not tag or len(tag) > 64 or tag.strip(_TAG_CHARACTERS) or tag[0] in "-.":
            fail("{}: {} is no name for a base.\nUse letters, digits, '-', '_' and '.', at most 64 of them.".format(_where(name), repr(tag)))
    return all

def pipeline(
        name,
        entry_point = None,
        srcs = [],
        deps = [],
        data = [],
        binary = None,
        base = None,
        bases = {},
        images = {},
        image_layers = [],
        file_layers = {},
        excludes = [],
        entrypoint = [],
        env = {},
        registry = "",
        repository = "",
        image_env = [],
        platform = None,
        platforms = [],
        tags = ["manual"],
        **kwargs):
    """A program that runs here as a launch script and elsewhere in its own image.

    ```starlark
    pipeline(
        name = "main",
        entry_point = "main.ts",
        deps = ["@npm//:csv-parse"],
    )
    ```

    | target | `bazel run` |
    |---|---|
    | `main` | pushes what the registry lacks of the images, then becomes the launch script, which knows them by URI |
    | `main_binary` | the same without the push |
    | `main_local` | the launch script alone: no image is built |
    | `main_push`, `main_TAG_push` | pushes all images, or that of one tag, and prints their URIs |
    | `main_image`, `main_TAG_image` | loads the default image, or that of one tag, into podman or docker |

    The variables that the launcher reads and sets are in docs/environment.md. Exit status, signals, terminal and working directory are the
    program's own; what fails before it starts ends with 2 for a mistake of the user's, 1 for a failure.

    Errors, at load: an attribute that is none of these; `binary` beside `entry_point`, `srcs`, `deps` or `data`; a `base` that differs from
    `bases["default"]`; a base that is the reference of an image; a tag with other characters than letters, digits, `-`, `_`, `.`, or with more
    than 64 of them. At analysis: a `binary` that is not executable, such as a library, a filegroup or several files.

    Args:
      name: string, the name of the pipeline.
      entry_point: label of the module that starts, for a TypeScript or JavaScript program. Default: `NAME.ts`, when neither this nor `binary` is given.
      srcs: labels of the modules that it imports.
      deps: labels of npm packages.
      data: labels of files that it finds in its runfiles.
      binary: label of an executable target, instead of `entry_point`, `srcs`, `deps` and `data`. Any language: its executable and runfiles are all that counts. A
        `genrule` needs `executable = True`; a script or program of your sources must be executable (`chmod +x`).
      base: label of the image below, for the tag `default`. Default: the build setting `default_base`.
      bases: dict of tag to label: an image for each. `base` is the same as its entry `default`.
      images: dict of tag to label: images that have the program already, taken as they are: an `image`, or what builds an OCI layout, such as the
        `oci_image` and `oci_image_index` of rules_oci. One for the tag `default` leaves no need of a base.
      image_layers: labels of further layers, put under the program's.
      file_layers: dict of pattern to the layer of the files that it matches: `runtime`, `third_party` (several layers, by package), `first_party`,
        or a name of your own, for a layer between the last two. Default: by the repository that a file comes from, and by `node_modules` in its path. Patterns are those
        of `glob` (`*`, `**`), for paths below `/app/main.runfiles`: `{"_main/models/**": "models"}`. What one action declares as a folder goes
        to one layer.
      excludes: list of patterns of files that the image does not have: `["**/*.map"]`.
      entrypoint: list of strings: what the images start. Default: the program, `/app/NAME`. A program that is a script needs the shell that it
        names; where the base has none, start what the script would: `["/app/main.runfiles/REPOSITORY/node", "/app/main.runfiles/_main/main.mjs"]`.
      env: dict of string to string: environment variables of the images.
      registry: string, `HOST` or `HOST:PORT`. Default: the variable SLIPWAY_REGISTRY, else the build setting `registry`, else the embedded registry.
      repository: string. Default: the build setting `repository_prefix` and the package's path, in a root package the module's name. The tags there are
        `NAME_TAG`.
      image_env: list of strings: further variables that tell the program its images. One whose name ends in `_URIS` gets the value of
        SLIPWAY_CONTAINER_IMAGE_URIS, any other the address of the default image: `["SEMATIC_CONTAINER_IMAGE_URIS"]`.
      platform: label of the platform of the images. Default: the platform that is built for.
      platforms: labels of platforms, instead of `platform`: every image is built for all of them, as one OCI image index.
      tags: list of strings. Default: `manual` on every target but `NAME_local`. `ibazel_notify_changes` is for `NAME_local` alone: a program that
        is told of every build by its standard input, instead of being started again (docs/development.md).
      **kwargs: `visibility`, `testonly`, `target_compatible_with` and other attributes of every target.
    """
    if kwargs:
        check_attributes(_where(name), kwargs, PIPELINE_ATTRIBUTES)
    if binary and (entry_point or srcs or deps or data):
        fail("{}: `binary` is the whole program, so `entry_point`, `srcs`, `deps` and `data` have no meaning beside it.\nLeave them out, or leave out `binary`.".format(_where(name)))
    bases = _bases(name, base, bases, images)

    local = name + "_local"
    local_tags = [tag for tag in tags if tag != "manual"]

    # The others do their work at the start, so a change has to start them again.
    tags = [tag for tag in tags if tag != "ibazel_notify_changes"]
    if binary:
        native.alias(name = local, actual = binary, tags = local_tags, **kwargs)
    else:
        if not entry_point:
            entry_point = name + ".ts"
            if not native.glob([entry_point], allow_empty = True):
                fail("{}: it has no entry point: the package has no {}.\nSet `entry_point` to the module that starts, or `binary` to a program.".format(_where(name), entry_point))
        ts_binary(
            name = local,
            entry_point = entry_point,
            srcs = [src for src in srcs if src != entry_point],
            deps = deps,
            data = data,
            tags = local_tags,
            **kwargs
        )

    # Not by the alias, which would be one more target to analyse.
    program = binary or local
    layers_name = name + "_layers"
    layers = {
        "name": layers_name,
        "binary": program,
        "program_name": name,
        "file_layers": file_layers,
        "excludes": excludes,
        "tags": tags,
    } | kwargs
    if platform:
        binary_layers_for_platform(platform = platform, **layers)
    else:
        binary_layers(**layers)

    pushed = []
    remote_tags = []
    for tag, tag_base in bases.items():
        remote_tag = name + "_" + tag
        image_name = remote_tag + "_image"
        image(
            name = image_name,
            base = tag_base,
            layers = image_layers + [layers_name],
            entrypoint = entrypoint,
            env = env,
            platform = platform,
            platforms = platforms,
            tags = tags,
            **kwargs
        )

        # Whoever pushes an image needs no more of it than its manifest. An index, and what another ruleset built, is one target.
        pushed.append(image_name if platforms else image_manifest_name(image_name))
        remote_tags.append(remote_tag)
    for tag, whole in images.items():
        remote_tag = name + "_" + tag
        image_name = remote_tag + "_image"
        image_from_layout(
            name = image_name,
            layout = whole,
            tags = tags,
            **kwargs
        )
        pushed.append(image_name)
        remote_tags.append(remote_tag)
    image_tags = bases.keys() + images.keys()

    destination = {
        "registry": registry,
        "repository": repository,
        "tags": tags,
    } | kwargs
    for i, remote_tag in enumerate(remote_tags):
        image_push(
            name = remote_tag + "_push",
            images = [pushed[i]],
            image_tags = [image_tags[i]],
            remote_tags = [remote_tag],
            **destination
        )
    everything = destination | {
        "images": pushed,
        "image_tags": image_tags,
        "remote_tags": remote_tags,
    }
    native.alias(name = name + "_image", actual = name + "_default_image", tags = tags, **kwargs)
    image_push(name = name + "_push", **everything)
    pipeline_run(name = name, program = program, push = True, image_env = image_env, **everything)
    pipeline_run(name = name + "_binary", program = program, image_env = image_env, **everything)
