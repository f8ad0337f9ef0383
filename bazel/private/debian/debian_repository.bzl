"""Base images from Debian packages."""

load("@bazel_tools//tools/build_defs/repo:utils.bzl", "read_user_netrc", "use_netrc")
load("//bazel/private:given_name.bzl", "given_name")
load("//bazel/private/node:repository_tool.bzl", "run_repository_tool")

# Debian's name of an architecture to its platform, and its constraint for `select`.
_ARCHITECTURES = {
    "amd64": struct(platform = Label("//bazel/platforms:linux_amd64"), cpu = Label("@platforms//cpu:x86_64")),
    "arm64": struct(platform = Label("//bazel/platforms:linux_arm64"), cpu = Label("@platforms//cpu:aarch64")),
}

_LINUX = Label("@platforms//os:linux")

_PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"

_BUILD = """load("{debian_base}", "debian_base")

package(default_visibility = ["//visibility:public"])

debian_base(
    constraints = {constraints},
    env = {env},
    layers = {layers},
    platform = "{platform}",
    {origin},
)
"""

_HUB_BUILD = """[
    alias(
        name = name,
        actual = select(
            {{cpu: repository + name for cpu, repository in {choices}.items()}},
            no_match_error = {no_match},
        ),
        visibility = ["//visibility:public"],
    )
    for name in ["image", "layer"]
]
"""

_TOOL = "debian"

DEBIAN_ATTRS = {
    "lock": attr.label(allow_single_file = True, doc = "The packages, as `slipway image lock` writes them."),
    "suite": attr.string(doc = "One or more suites, as apt names them (`bookworm bookworm-security`). Must match the lock. Default: not checked, also for the next three."),
    "components": attr.string_list(doc = "Components: `main`, `non-free`, … Must match the lock."),
    "architecture": attr.string(doc = "Debian's name of the architecture: `amd64` or `arm64`. Must match the lock."),
    "packages": attr.string_list(doc = "The requested packages, without their dependencies. Must match the lock."),
    "mirror": attr.string(doc = "Address of a Debian mirror, `https://HOST/debian`. Default: the mirror in the machine's apt sources."),
    "allow_newer": attr.bool(doc = "Whether to take the newest versions if neither the mirror nor snapshot.debian.org has a locked version. Slipway first verifies the index's " +
                                   "signature by Debian's archive keys. A warning names both versions and has the new lines of the lock. Default: no; a missing version is an error."),
    "env": attr.string_dict(doc = "Environment variables of the image."),
    "layers": attr.label_list(doc = "Further layers, on top of the packages' layer: `image_layer` targets."),
}

def _error(rctx, problem, remedy):
    fail("base image {}: {}\n{}".format(given_name(rctx), problem, remedy))

def _download(rctx, mirrors, files):
    """Downloads all files in parallel. Returns those that failed."""
    netrc = read_user_netrc(rctx)

    def start(file):
        url = "{}/{}".format(mirrors[file["archive"]], file["path"])
        return rctx.download(
            url = url,
            auth = use_netrc(netrc, [url], {}),
            output = file["output"],
            sha256 = file["sha256"],
            allow_fail = True,
            block = False,
        )

    pending = [(file, start(file)) for file in files]
    return [file for file, download in pending if not download.wait().success]

def _download_old(rctx, archives, files):
    """Downloads files that the mirror lacks from Debian's archive of all versions. Returns those that failed.

    The first file is a probe, so that an unreachable archive costs one timeout instead of one for each file.
    """
    if not files or not archives or _download(rctx, archives, files[:1]):
        return files
    return _download(rctx, archives, files[1:])

def _package(entry):
    return entry | {"output": "packages/{}.deb".format(entry["name"])}

def _relock(rctx, problem):
    """The newest versions, from the mirror's signed index. A tool does this, as Bazel downloads nothing over plain HTTP without a known sha256."""
    arguments = ["relock", rctx.path(rctx.attr.lock), rctx.attr.mirror]
    return run_repository_tool(rctx, _TOOL, arguments, packages = True, context = problem)

def _changes(locked, newest):
    """The differences between two lists of packages, as `NAME LOCKED -> TAKEN`."""
    before = {entry["name"]: entry["version"] for entry in locked}
    after = {entry["name"]: entry["version"] for entry in newest}
    return [
        "{} {} -> {}".format(name, before.get(name, "(not locked)"), after.get(name, "(not needed)"))
        for name in sorted((before | after).keys())
        if before.get(name) != after.get(name)
    ]

def _replace(rctx, prepared, failed):
    """Downloads the newest versions in place of missing ones, with `allow_newer`; fails with their names without it."""
    mirrors = prepared["mirrors"]
    archive = failed[0]["archive"]
    without = "the mirror {} does not have".format(mirrors[archive])
    if prepared["archives"]:
        without = "neither the mirror {} nor Debian's archive of all versions, {}, has".format(mirrors[archive], prepared["archives"][archive])
    answer = _relock(rctx, "{} {} {}. Slipway cannot look up the newest versions either: ".format(without, failed[0]["name"], failed[0]["version"]))
    newest = {entry["name"]: entry for entry in answer["locked"]}
    gone = [entry for entry in failed if newest.get(entry["name"], {}).get("version") != entry["version"]]
    here = [entry for entry in failed if entry not in gone]
    if here:
        _error(
            rctx,
            "{} the locked {}, although the mirror's index still names version {}.".format(without, here[0]["path"], here[0]["version"]),
            "See the lines above. If the sha256 differs, run: slipway image lock {}; otherwise use another `mirror`.".format(_lock_path(rctx)),
        )
    described = ", ".join([
        "{} {} (newest: {})".format(entry["name"], entry["version"], newest[entry["name"]]["version"] if entry["name"] in newest else "not needed any more")
        for entry in gone
    ])
    if not rctx.attr.allow_newer:
        _error(
            rctx,
            "{} the packages of {}: {}.".format(without, _lock_path(rctx), described),
            "Lock the newest versions with: slipway image lock {}; or set allow_newer = True.".format(_lock_path(rctx)),
        )

    # buildifier: disable=print
    print("base image {}: {} {} {}. Slipway uses the newest versions, whose index has a valid signature: {}.\nNew lines of {}:\n{}".format(
        given_name(rctx),
        without,
        gone[0]["name"],
        gone[0]["version"],
        ", ".join(_changes(prepared["lock"]["locked"], answer["locked"])),
        _lock_path(rctx),
        "\n".join(answer["changed"]),
    ))
    rctx.delete("packages")
    failed = _download(rctx, mirrors, [_package(entry) for entry in answer["locked"]])
    if failed:
        _error(rctx, "{}/{} could not be downloaded.".format(mirrors[failed[0]["archive"]], failed[0]["path"]), "Try again, or use another `mirror`.")
    return answer["locked"]

def _lock_path(rctx):
    label = rctx.attr.lock
    return label.package + "/" + label.name if label.package else label.name

def _declare_image(rctx, architecture, origin):
    """Declares the image, with the argument of `debian_base` that says where its layers come from."""
    rctx.file("image/BUILD.bazel", _BUILD.format(
        debian_base = Label(":debian_base.bzl"),
        env = json.encode({"PATH": _PATH} | rctx.attr.env),
        layers = json.encode([str(label) for label in rctx.attr.layers]),
        origin = origin,
        platform = _ARCHITECTURES[architecture].platform,
        constraints = json.encode([str(_LINUX), str(_ARCHITECTURES[architecture].cpu)]),
    ))

def _debian_repository_impl(rctx):
    declared = {name: getattr(rctx.attr, name) for name in ["suite", "components", "architecture", "packages"]}
    prepared = run_repository_tool(rctx, _TOOL, ["prepare", rctx.path(rctx.attr.lock), _lock_path(rctx), rctx.attr.mirror, json.encode(declared)])
    architecture = prepared["lock"]["architecture"]
    if architecture not in _ARCHITECTURES:
        _error(rctx, "{} has the architecture {}.".format(_lock_path(rctx), architecture), "Lock packages for {}.".format(" or ".join(_ARCHITECTURES)))
    packages = prepared["lock"]["locked"]
    failed = _download(rctx, prepared["mirrors"], [_package(entry) for entry in packages])
    failed = _download_old(rctx, prepared["archives"], failed)
    if failed:
        packages = _replace(rctx, prepared, failed)
    rctx.file("packages.lock", rctx.read(rctx.attr.lock))
    rctx.file("BUILD.bazel", "exports_files({})\n".format(json.encode(["packages.lock"] + ["packages/{}.deb".format(entry["name"]) for entry in packages])))
    _declare_image(rctx, architecture, "packages = " + json.encode_indent(["//:packages/{}.deb".format(entry["name"]) for entry in packages], prefix = "    "))

    # The bytes are pinned, unless newer packages replaced locked ones.
    return rctx.repo_metadata(reproducible = not failed) if hasattr(rctx, "repo_metadata") else None

_debian_repository = repository_rule(
    implementation = _debian_repository_impl,
    doc = "`@NAME//image`: an image of the Debian packages in a lock. Bazel downloads them from a mirror.",
    attrs = DEBIAN_ATTRS,
)

def _debian_variant_impl(rctx):
    rctx.file("BUILD.bazel")
    _declare_image(rctx, rctx.attr.architecture, "shared = \"@{}//image\"".format(rctx.attr.of))

_debian_variant = repository_rule(
    implementation = _debian_variant_impl,
    doc = "`@NAME//image`: the layers of another Debian image, and further ones. Downloads and builds nothing twice.",
    attrs = {name: DEBIAN_ATTRS[name] for name in ["architecture", "env", "layers"]} | {
        "of": attr.string(mandatory = True, doc = "The name of the other image's repository."),
    },
)

def _debian_hub_impl(rctx):
    choices = {
        str(_ARCHITECTURES[architecture].cpu): "@{}_{}//image:".format(rctx.attr.image_name, architecture)
        for architecture in rctx.attr.architectures
    }
    rctx.file("BUILD.bazel")
    rctx.file("image/BUILD.bazel", _HUB_BUILD.format(
        choices = json.encode(choices),
        no_match = repr("{} has an image for {} only. Build for one of those platforms, or declare it with a lock for another.".format(
            rctx.attr.image_name,
            " and ".join(rctx.attr.architectures),
        )),
    ))

_debian_hub = repository_rule(
    implementation = _debian_hub_impl,
    doc = "`@NAME//image`: selects the image for the target platform.",
    attrs = {
        "image_name": attr.string(mandatory = True),
        "architectures": attr.string_list(mandatory = True),
    },
)

def debian_variant(name, of, architectures, **kwargs):
    """Declares `@NAME//image`: a Debian image with Python, with further layers and variables. It shares the other image's layers.

    Args:
      name: string, name of the repository.
      of: string, name of the other image's repository, which debian_image declares with `locks`.
      architectures: list of strings, Debian's names of the architectures.
      **kwargs: `env` and `layers`, as for debian_image.
    """
    for architecture in architectures:
        _debian_variant(
            name = "{}_{}".format(name, architecture),
            of = "{}_{}".format(of, architecture),
            architecture = architecture,
            **kwargs
        )
    _debian_hub(name = name, image_name = name, architectures = architectures)

def debian_image(name, lock = None, locks = {}, architecture = "", **kwargs):
    """Declares a base image from Debian packages: `@NAME//image`.

    ```starlark
    debian_image(
        name = "base",
        suite = "bookworm",
        packages = ["base-files", "base-passwd", "ca-certificates", "dash", "libstdc++6"],
        lock = "//images:base.lock",
    )
    ```

    You need neither apt nor dpkg. The packages come from `mirror`, else from the mirror in the machine's apt sources. If the mirror no longer has
    a version, it comes from snapshot.debian.org, Debian's archive of all versions.

    Errors: a lock that does not match `suite`, `components`, `architecture` or `packages`; a package with a wrong SHA-256; a version that neither the
    mirror nor the archive has, unless `allow_newer` is set; both `lock` and `locks`, or neither.

    Args:
      name: string, name of the repository.
      lock: label of the lock, which `slipway image lock` writes.
      locks: dict of label to Debian's name of an architecture, instead of `lock`. The image is the one for the target platform.
      architecture: string: Debian's name of the architecture. Must match the lock. Default: not checked.
      **kwargs: the following.
        `suite`, string: suites, as apt names them. Must match the lock. Default: not checked, also for the next two.
        `components`, list of strings. Must match the lock.
        `packages`, list of strings: the requested packages, without their dependencies. Must match the lock.
        `mirror`, string, `https://HOST/debian`. Default: the mirror in the machine's apt sources.
        `allow_newer`, boolean: whether to take the newest versions if neither the mirror nor the archive has a locked one. Default: False.
        `env`, dict of string to string: environment variables of the image.
        `layers`, list of labels: further layers, on top of the packages' layer: `image_layer` targets.
    """
    if (lock == None) == (not locks):
        fail("base image {}: {}.\nSet `lock` for one architecture, or `locks` for several.".format(name, "both `lock` and `locks` are set" if lock else "`lock` is missing"))
    if lock:
        _debian_repository(name = name, lock = lock, architecture = architecture, **kwargs)
        return
    for label, locked_architecture in locks.items():
        if locked_architecture not in _ARCHITECTURES:
            fail("base image {}: `locks` has the architecture {}.\nUse {}.".format(name, locked_architecture, " or ".join(_ARCHITECTURES)))
        _debian_repository(name = "{}_{}".format(name, locked_architecture), lock = label, architecture = locked_architecture, **kwargs)
    _debian_hub(name = name, image_name = name, architectures = locks.values())
