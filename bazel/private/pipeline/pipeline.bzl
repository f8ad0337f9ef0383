"""The macro behind `pipeline`."""

load("//bazel/private:common_attributes.bzl", "check_attributes")
load("//bazel/private:label_text.bzl", "label_text")
load("//bazel/private/image:base_reference.bzl", "refuse_image_reference")
load("//bazel/private/image:binary_layers.bzl", "binary_layers", "binary_layers_for_platform")
load("//bazel/private/image:image_from_layout.bzl", "image_from_layout")
load("//bazel/private/image:image_macro.bzl", "image", "image_manifest_name")
load("//bazel/private/run:image_push.bzl", "image_push")
load("//bazel/private/run:image_push_all.bzl", "image_push_all")
load("//bazel/private/run:pipeline_local.bzl", "pipeline_local")
load("//bazel/private/run:pipeline_run.bzl", "pipeline_run")
load("//bazel/private/ts:ts_binary.bzl", "ts_binary")

_TAG_CHARACTERS = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_."

# The attributes of `pipeline`, for error messages.
PIPELINE_ATTRIBUTES = [
    "annotations",
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
    "image_binary",
    "image_env",
    "image_layers",
    "images",
    "labels",
    "platform",
    "platforms",
    "registry",
    "remote_tags",
    "repository",
    "run_in",
    "run_options",
    "srcs",
]

# Label of the base where none is given.
_DEFAULT_BASE = Label("//bazel/settings:default_base")

def _where(name):
    """The pipeline's name in errors. Computed only for an error, because most packages have none."""
    return "pipeline {}".format(label_text(native.package_relative_label(name)))

def _bases(name, base, bases, images):
    """The base of each tag that has no entry in `images`. Does not change the caller's dicts."""
    refuse_image_reference("pipeline", name, "base", base)
    for tag, tag_base in bases.items():
        refuse_image_reference("pipeline", name, "bases[{}]".format(repr(tag)), tag_base)
    all = dict(bases)
    if base and "default" in all and native.package_relative_label(all["default"]) != native.package_relative_label(base):
        fail("{}: the default image has two bases: `base` is {}, and bases[\"default\"] is {}.\nLeave one of them out.".format(_where(name), base, all["default"]))
    for tag in images:
        if tag in all or (tag == "default" and base):
            fail("{}: tag {} has both a base and an image.\nRemove one of them.".format(_where(name), repr(tag)))
    if "default" not in all and "default" not in images:
        all["default"] = base or _DEFAULT_BASE
    for tag in all.keys() + images.keys():
        if not tag or len(tag) > 64 or tag.strip(_TAG_CHARACTERS) or tag[0] in "-.":
            fail("{}: {} is not a valid name for a base.\nUse at most 64 letters, digits, '-', '_' and '.'.".format(_where(name), repr(tag)))
    return all

def _remote_tags(name, remote_tags, image_tags):
    """The attribute `remote_tags` of the push of each image: dict of image tag to list or label."""
    if type(remote_tags) != "dict":
        if remote_tags and len(image_tags) > 1:
            fail("{}: `remote_tags` is for one image, and there are {}: {}.\nSet a dict: {{{}: [\"latest\"]}}.".format(_where(name), len(image_tags), ", ".join(image_tags), repr(image_tags[0])))
        remote_tags = {image_tags[0]: remote_tags} if remote_tags else {}
    for tag in remote_tags:
        if tag not in image_tags:
            fail("{}: `remote_tags` has {}, but the images are {}.\nUse the tags of `bases` and `images`.".format(_where(name), repr(tag), ", ".join(image_tags)))
    return {tag: remote_tags.get(tag) or ["{}_{}".format(name, tag)] for tag in image_tags}

def pipeline(
        name,
        entry_point = None,
        srcs = [],
        deps = [],
        data = [],
        binary = None,
        image_binary = None,
        base = None,
        bases = {},
        images = {},
        image_layers = [],
        file_layers = {},
        excludes = [],
        entrypoint = [],
        env = {},
        labels = {},
        annotations = {},
        registry = "",
        repository = "",
        remote_tags = [],
        image_env = [],
        run_in = "host",
        run_options = [],
        platform = None,
        platforms = [],
        tags = ["manual"],
        **kwargs):
    """A program that runs on your machine as a launch script and elsewhere in its own image.

    ```starlark
    pipeline(
        name = "main",
        entry_point = "main.ts",
        deps = ["@npm//:csv-parse"],
    )
    ```

    | target | `bazel run` |
    |---|---|
    | `main` | pushes the missing parts of the images, then becomes the launch script, which gets the image URIs |
    | `main_binary` | the same, without the push |
    | `main_local` | runs the launch script only; builds no image |
    | `main_push`, `main_TAG_push` | pushes all images, or the image of one tag, sets their `remote_tags`, and prints their URIs |
    | `main_image`, `main_TAG_image` | loads the default image, or the image of one tag, into podman or docker |

    docs/environment.md lists the variables that the launcher reads and sets. The launch script keeps its own exit status, signals, terminal
    and working directory. If something fails before it starts, the launcher exits with 2 for a mistake of yours and 1 for any other failure.

    Errors at load: an unknown attribute; `binary` together with `entry_point`, `srcs`, `deps` or `data`; no `binary`, `entry_point` or file
    `NAME.ts`; a `base` that differs from `bases["default"]`; an image reference as a base; `remote_tags` that are no dict for several images, or that have another tag; a tag with both a base and an image; a tag longer than
    64 characters, with a character other than letters, digits, `-`, `_` and `.`, or that starts with `-` or `.`. Errors at analysis: a `binary`
    that is not executable, such as a library, a filegroup or several files.

    Args:
      name: string, the name of the pipeline.
      entry_point: label of the module that starts, for a TypeScript or JavaScript program. Default: `NAME.ts`, unless you set `binary`.
      srcs: labels of the modules that the program imports.
      deps: labels of npm packages.
      data: labels of files that the program finds in its runfiles.
      binary: label of an executable target in any language, instead of `entry_point`, `srcs`, `deps` and `data`. Slipway uses its executable and runfiles.
        A `genrule` needs `executable = True`. A script or program in your sources must be executable (`chmod +x`).
      image_binary: label of an executable target: the program of the images, if it is not the launch script. Default: the launch script.
      base: label of the base image for the tag `default`. Default: the build setting `default_base`.
      bases: dict of tag to label: base images. Slipway builds one image for each. `base` is the same as the entry `default`.
      images: dict of tag to label: complete images that already contain the program: an `image`, or a target that builds an OCI layout, such as
        `oci_image` and `oci_image_index` of rules_oci. With an entry `default`, the pipeline needs no base.
      image_layers: labels of further layers, below the program's layers.
      file_layers: dict of pattern to the layer of the files that it matches: `runtime`, `third_party` (several layers, by package), `first_party`,
        or a name of your own, for a layer between the last two. Default: by the repository of a file, and by `node_modules` in its path. Patterns work
        as in `glob` (`*`, `**`), on paths below `/app/main.runfiles`: `{"_main/models/**": "models"}`. A folder that one action declares stays
        in one layer.
      excludes: list of patterns of files to leave out of the images: `["**/*.map"]`.
      entrypoint: list of strings: the command that the images start. Default: the program, `/app/NAME`. If the program is a script, the base needs the shell
        that the script names. For a base without one, start the script's command directly:
        `["/app/main.runfiles/REPOSITORY/node", "/app/main.runfiles/_main/main.mjs"]`.
      env: dict of string to string: environment variables of the images.
      labels: dict of string to string: labels of the images, as in `image`. Or the label of a file with `KEY=VALUE` in each line.
      annotations: dict of string to string: annotations of the images, as in `image`. Or the label of such a file.
      registry: string, `HOST` or `HOST:PORT`. Default: the variable SLIPWAY_REGISTRY, else the build setting `registry`, else the embedded registry.
      repository: string. Default: the build setting `repository_prefix` plus the package's path; in a root package, plus the module's name.
      remote_tags: list of strings: the tags that `main_push` gives the image, as in `image_push`: `["latest", "{STABLE_GIT_COMMIT}"]`. Or the label of a
        file with one tag per line. With several images: a dict of tag in `bases` or `images` to such a list or label. Default: `NAME_TAG`. `bazel run` of
        the pipeline itself pushes by digest and changes no tag.
      image_env: list of strings: further variables with the URIs of the images. A name that ends in `_URIS` gets the value of
        SLIPWAY_CONTAINER_IMAGE_URIS; any other name gets the URI of the default image: `["SEMATIC_CONTAINER_IMAGE_URIS"]`.
      run_in: string: where `bazel run` of the pipeline starts the program. `host`, the default: on your machine, as a launch script that can run functions in
        the image. `image`: in its default image, with your terminal, as `podman run -it` does it, or as a pod of the cluster. The variable SLIPWAY_RUN_IN
        decides for one run.
      run_options: list of strings: options of `podman run` and `docker run` for that, such as `["-p", "8080:80"]`. A pod does not get them.
      platform: label of the platform of the images. Default: the target platform of the build.
      platforms: labels of platforms, instead of `platform`: Slipway builds every image for all of them, as one OCI image index.
      tags: list of strings. Default: `manual` on every target except `NAME_local`. Slipway puts `ibazel_notify_changes` only on `NAME_local`: ibazel then
        tells the program about each build on its standard input instead of restarting it (docs/development.md).
      **kwargs: `visibility`, `testonly`, `target_compatible_with` and other attributes of every target.
    """
    if kwargs:
        check_attributes(_where(name), kwargs, PIPELINE_ATTRIBUTES)
    if binary and (entry_point or srcs or deps or data):
        fail("{}: `entry_point`, `srcs`, `deps` and `data` have no effect together with `binary`.\nLeave them out, or leave out `binary`.".format(_where(name)))
    bases = _bases(name, base, bases, images)

    local_tags = [tag for tag in tags if tag != "manual"]

    # The other targets work at start, so ibazel has to restart them after a change.
    tags = [tag for tag in tags if tag != "ibazel_notify_changes"]
    program = binary
    if not program:
        program = name + ".program"
        if not entry_point:
            entry_point = name + ".ts"
            if not native.glob([entry_point], allow_empty = True):
                fail("{}: `entry_point` is not set, and the package has no {}.\nSet `entry_point` to the main module, or `binary` to a program.".format(_where(name), entry_point))
        ts_binary(
            name = program,
            entry_point = entry_point,
            srcs = [src for src in srcs if src != entry_point],
            deps = deps,
            data = data,
            tags = tags,
            **kwargs
        )
    pipeline_local(name = name + "_local", program = program, tags = local_tags, **kwargs)
    layers_name = name + "_layers"
    layers = {
        "name": layers_name,
        "binary": image_binary or program,
        "program_name": name,
        "file_layers": file_layers,
        "excludes": excludes,
        "tags": tags,
    } | kwargs
    if platform:
        binary_layers_for_platform(platform = platform, **layers)
    else:
        binary_layers(**layers)

    image_tags = bases.keys() + images.keys()
    remote_tags = _remote_tags(name, remote_tags, image_tags)
    pushed = []
    for tag, tag_base in bases.items():
        image_name = "{}_{}_image".format(name, tag)
        image(
            name = image_name,
            base = tag_base,
            layers = image_layers + [layers_name],
            entrypoint = entrypoint,
            env = env,
            labels = labels,
            annotations = annotations,
            platform = platform,
            platforms = platforms,
            tags = tags,
            **kwargs
        )

        # A push needs only the manifest target. An index is a single target.
        pushed.append(image_name if platforms else image_manifest_name(image_name))
    for tag, whole in images.items():
        image_name = "{}_{}_image".format(name, tag)
        image_from_layout(
            name = image_name,
            layout = whole,
            tags = tags,
            **kwargs
        )
        pushed.append(image_name)

    destination = {
        "registry": registry,
        "repository": repository,
        "tags": tags,
    } | kwargs
    pushes = ["{}_{}_push".format(name, tag) for tag in image_tags]
    for i, tag in enumerate(image_tags):
        image_push(
            name = pushes[i],
            images = [pushed[i]],
            image_tags = [tag],
            remote_tags = remote_tags[tag],
            **destination
        )
    everything = destination | {
        "images": pushed,
        "image_tags": image_tags,
    }
    native.alias(name = name + "_image", actual = name + "_default_image", tags = tags, **kwargs)
    image_push_all(name = name + "_push", pushes = pushes, tags = tags, **kwargs)
    everything |= {"image_env": image_env, "program": program, "run_in": run_in, "run_options": run_options}
    pipeline_run(name = name, push = True, **everything)
    pipeline_run(name = name + "_binary", **everything)
