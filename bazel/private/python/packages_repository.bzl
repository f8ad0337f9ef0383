"""Repositories of Python packages from a locked requirements file."""

# Minor version of glibc 2 in the default bases.
_GLIBC = 36

def _manylinux(cpu):
    legacy = ["manylinux2014", "manylinux2010", "manylinux1"] if cpu == "x86_64" else ["manylinux2014"]
    return ["manylinux_2_{}_{}".format(minor, cpu) for minor in range(_GLIBC, 4, -1)] + ["{}_{}".format(name, cpu) for name in legacy]

def _macos(cpu):
    return ["macosx_{}_0_{}".format(major, cpu) for major in range(15, 10, -1)]

# Bazel's name of a platform to its wheel tags, newest first.
PYTHON_PLATFORMS = {
    "linux_x86_64": struct(os = "linux", cpu = "x86_64", tags = _manylinux("x86_64")),
    "linux_aarch64": struct(os = "linux", cpu = "aarch64", tags = _manylinux("aarch64")),
    "macos_x86_64": struct(os = "macos", cpu = "x86_64", tags = _macos("x86_64") + _macos("universal2") + ["macosx_10_{}_x86_64".format(minor) for minor in range(16, 8, -1)]),
    "macos_aarch64": struct(os = "macos", cpu = "aarch64", tags = _macos("arm64") + _macos("universal2")),
}

_BUILD = """load("{rule}", "platform_package")

platform_package(
    name = "packages",
    imports = ["site-packages"],
    python_version = "{version}",
    folder = "{folder}",
    lock = "requirements.txt",
    visibility = ["//visibility:public"],
    deps = {deps},
)
"""

_PACKAGE = """
platform_package(
    name = {target},
    srcs = glob(
        {patterns},
        allow_empty = True,
        exclude = [
            "**/*.pyc",
            "**/__pycache__/**",
        ],
    ),
    package = {package},
    folder = "{folder}",
    python_version = "{version}",
)
"""

def _download(rctx, platform):
    python = rctx.which("python3")
    if not python:
        fail("{}: python3, whose pip downloads the packages, is not on PATH.\nInstall Python 3 with pip (Debian: apt-get install python3-pip).".format(rctx.name))
    if rctx.execute([python, "-m", "pip", "--version"]).return_code != 0:
        fail("{}: {} has no pip, which downloads the packages.\nInstall it (Debian: apt-get install python3-pip).".format(rctx.name, python))
    abi = "cp" + rctx.attr.python_version.replace(".", "")
    command = [
        python,
        "-m",
        "pip",
        "download",
        "--disable-pip-version-check",
        "--no-input",
        "--quiet",
        "--require-hashes",
        # The lock has all dependencies. Only wheels, because a build here would be for this machine instead of the target platform.
        "--no-deps",
        "--only-binary=:all:",
        "--implementation=cp",
        "--python-version=" + rctx.attr.python_version,
        "--abi=" + abi,
        "--abi=abi3",
        "--abi=none",
    ] + ["--platform=" + tag for tag in platform.tags] + [
        "--dest=wheels",
        "--requirement=" + str(rctx.path(rctx.attr.requirements)),
    ]
    result = rctx.execute(command, timeout = 900, environment = {"NO_COLOR": "1"})
    if result.return_code != 0:
        fail("{}: pip could not download the packages of {}.\n{}\nEach needs a version, a hash and a wheel for Python {} on {}; `slipway python lock` writes such a file.".format(
            rctx.name,
            rctx.attr.requirements,
            result.stderr.strip(),
            rctx.attr.python_version,
            rctx.attr.platform,
        ))

def _unpack(rctx):
    """Unpacks the wheels.

    Args:
      rctx: the repository context.

    Returns:
      dict of package name to a list of names in site-packages. A namespace that several packages share is a separate entry.
    """

    # Isolated, so that no module of the machine is loaded.
    command = [rctx.which("python3"), "-I", "-S", "-X", "utf8", rctx.path(rctx.attr._unpack_wheels), "wheels", "site-packages"]
    result = rctx.execute(command, timeout = 900)
    if result.return_code != 0:
        fail("{}: the wheel {}.\nDo not use this file. Lock another version of the package.".format(rctx.name, result.stderr.strip()))
    rctx.delete("wheels")
    return json.decode(result.stdout)

def packages_build_file(repository, platform, python_version, packages):
    """The BUILD file of a repository with the packages for one platform.

    Args:
      repository: string, its canonical name: the hub repository's name, an underscore, the platform.
      platform: string, a key of PYTHON_PLATFORMS.
      python_version: string, for example `3.11`.
      packages: dict of package name to a list of names in the folder `site-packages`.

    Returns:
      string.
    """
    folder = repository.removesuffix("_" + platform)
    build = _BUILD.format(
        deps = repr([":files/" + name for name in packages]),
        folder = folder,
        rule = Label(":platform_package.bzl"),
        version = python_version,
    )
    for name, entries in packages.items():
        patterns = [pattern for entry in entries for pattern in ["site-packages/" + entry, "site-packages/" + entry + "/**"]]
        build += _PACKAGE.format(
            folder = folder,
            package = repr(name),
            patterns = repr(patterns),
            target = repr("files/" + name),
            version = python_version,
        )
    return build

def _python_platform_packages_impl(rctx):
    _download(rctx, PYTHON_PLATFORMS[rctx.attr.platform])
    packages = _unpack(rctx)
    rctx.file("requirements.txt", rctx.read(rctx.attr.requirements))
    rctx.file("BUILD.bazel", packages_build_file(rctx.name, rctx.attr.platform, rctx.attr.python_version, packages))
    return rctx.repo_metadata(reproducible = True) if hasattr(rctx, "repo_metadata") else None

_python_platform_packages = repository_rule(
    implementation = _python_platform_packages_impl,
    doc = "The packages for one platform.",
    attrs = {
        "requirements": attr.label(mandatory = True, allow_single_file = True, doc = "The requirements file."),
        "python_version": attr.string(mandatory = True, doc = "The Python version, for example `3.11`."),
        "platform": attr.string(mandatory = True, values = PYTHON_PLATFORMS.keys(), doc = "The platform of the packages."),
        "_unpack_wheels": attr.label(default = Label(":unpack_wheels.py"), allow_single_file = True),
    },
)

_CHOICE = """    "{platform}": "@{repository}//:packages",
"""

_SETTING = """
config_setting(
    name = "{platform}",
    constraint_values = [
        "@platforms//os:{os}",
        "@platforms//cpu:{cpu}",
    ],
)
"""

def _requirement(line):
    """The normal name and, if it is exact and of numbers alone, the version of a line of a requirements file. None for another line."""
    requirement = line.partition("#")[0].partition("--hash")[0].strip(" \t\r\\")
    if not requirement or not requirement[0].isalnum() or ";" in requirement or "/" in requirement.partition("@")[0]:
        return None
    name = ""
    for character in requirement.elems():
        if not character.isalnum() and character not in "-_.":
            break
        name += character
    version = requirement.partition("==")[2].strip("= ") if "," not in requirement and "@" not in requirement else ""
    if [part for part in version.split(".") if not part.isdigit()]:
        version = ""
    parts = version.split(".")
    for _ in version.elems():
        if parts[-1] == "0":
            parts.pop()
    name = "-".join([part for part in name.lower().replace("_", "-").replace(".", "-").split("-") if part])
    return struct(name = name, version = ".".join(parts))

def unlocked_requirement(declared, locked):
    """The first requirement that a lock lacks, or has with another version.

    Args:
      declared: string, the content of `requirements.in`.
      locked: string, the content of the lock.

    Returns:
      string, its line, or None.
    """
    versions = {}
    for line in locked.split("\n"):
        # A version with a marker counts too.
        found = _requirement(line.partition(";")[0])
        if found:
            versions.setdefault(found.name, []).append(found.version)
    for line in declared.split("\n"):
        wanted = _requirement(line)
        if wanted and (wanted.name not in versions or (wanted.version and wanted.version not in versions[wanted.name] and "" not in versions[wanted.name])):
            return line.strip()
    return None

def _python_packages_hub_impl(rctx):
    # Here, because another lock makes only this repository anew.
    lock = rctx.path(rctx.attr.requirements)
    declared = lock.dirname.get_child(lock.basename.removesuffix(".txt") + ".in")
    unlocked = unlocked_requirement(rctx.read(declared), rctx.read(lock)) if declared.exists else None
    if unlocked:
        fail("{name}: {declared} has {unlocked}, which is not in {lock}.\nLock it: bazel run @slipway//:slipway -- python lock {declared}".format(
            name = rctx.name,
            declared = declared.basename,
            unlocked = repr(unlocked),
            lock = lock.basename,
        ))
    build = "alias(name = \"packages\", visibility = [\"//visibility:public\"], actual = select({\n"
    for platform, repository in rctx.attr.repositories.items():
        build += _CHOICE.format(platform = platform, repository = repository)
    build += "}))\n"
    for platform in rctx.attr.repositories:
        build += _SETTING.format(platform = platform, os = PYTHON_PLATFORMS[platform].os, cpu = PYTHON_PLATFORMS[platform].cpu)
    rctx.file("BUILD.bazel", build)
    return rctx.repo_metadata(reproducible = True) if hasattr(rctx, "repo_metadata") else None

python_packages_hub = repository_rule(
    implementation = _python_packages_hub_impl,
    doc = "Selects the packages for the target platform.",
    attrs = {
        "repositories": attr.string_dict(mandatory = True, doc = "Platform to the name of the repository with its packages."),
        "requirements": attr.label(mandatory = True, allow_single_file = True, doc = "The requirements file."),
    },
)

def python_packages(name, requirements, python_version = "3.11"):
    """The packages of a locked requirements file: `@NAME//:packages`.

    The machine's pip downloads wheels for the target platform and verifies the hash of each. Slipway takes only wheels, and Bazel fetches only the
    platforms that you build for. Index addresses and credentials come from pip's configuration.

    `slipway python lock requirements.in` writes the file.

    Errors: a package without a version or hash; a package without a wheel for the platform; a Python version before 3.11, or one with a third
    number; no python3 with pip on the machine.

    Args:
      name: string, name of the repository.
      requirements: label of the file. Every package needs `==` and `--hash=sha256:…`.
      python_version: string, for example `3.11`. Default: the version in the default bases.
    """
    parts = python_version.split(".")
    if len(parts) != 2 or not parts[0].isdigit() or not parts[1].isdigit() or int(parts[0]) != 3 or int(parts[1]) < 11:
        fail("python packages {}: `python_version` {} is not supported.\nUse 3.11 or newer, without a third number.".format(name, repr(python_version)))
    repositories = {platform: "{}_{}".format(name, platform) for platform in PYTHON_PLATFORMS}
    for platform, repository in repositories.items():
        _python_platform_packages(name = repository, requirements = requirements, python_version = python_version, platform = platform)
    python_packages_hub(name = name, repositories = repositories, requirements = requirements)
