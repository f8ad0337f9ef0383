"""Installs the packages of a lock file in repository rules."""

load("//bazel/private:given_name.bzl", "given_name")
load("//bazel/private:label_text.bzl", "label_text")
load("//bazel/private/node:host_node.bzl", "host_node")
load(":package_manager.bzl", "package_manager_script")

_MAKE_PACKAGE_LOCK = "npm install --package-lock-only"
_MAKE_PNPM_LOCK = "npx pnpm@10 install --lockfile-only"

# A flat node_modules without links, so that Bazel globs the same folders that Node resolves. Always with the pinned pnpm, even if package.json
# names another package manager.
_PNPM_WORKSPACE = """nodeLinker: hoisted
managePackageManagerVersions: false
packageManagerStrict: false
onlyBuiltDependencies: {}
"""

# pnpm's error codes for a lock file that does not match package.json.
_PNPM_OUTDATED = [
    "ERR_PNPM_FROZEN_LOCKFILE_WITH_OUTDATED_LOCKFILE",
    "ERR_PNPM_LOCKFILE_CONFIG_MISMATCH",
    "ERR_PNPM_LOCKFILE_MISSING_DEPENDENCY",
    "ERR_PNPM_OUTDATED_LOCKFILE",
]

def _error(rctx, problem, remedy):
    fail("npm packages {}: {}\n{}".format(given_name(rctx), problem, remedy))

def _place(rctx, lock, file, command):
    """Copies package.json and its lock into the repository. Returns the lock's text."""
    for label, name in [(rctx.attr.package_json, "package.json"), (lock, file)]:
        path = rctx.path(label)
        if not path.exists:
            remedy = "Run `npm init`." if name == "package.json" else "Run `{}` in the folder of {} to make it.".format(command, label_text(rctx.attr.package_json))
            _error(rctx, "{} does not exist.".format(label_text(label)), remedy)
        rctx.watch(path)

        # A link would tie the repository to this workspace, and Bazel may share it between workspaces.
        rctx.execute(["cp", path, name])
    return rctx.read(rctx.path(lock))

def _update(rctx, command):
    return "Run `{}` in the folder of {}, and commit the result.".format(command, label_text(rctx.attr.package_json))

def _outdated(rctx, lock, command):
    _error(rctx, "{} does not match {}.".format(label_text(lock), label_text(rctx.attr.package_json)), _update(rctx, command))

def _unsupported(rctx, lock, version, supported, command):
    _error(rctx, "{} has lockfileVersion {}; Slipway reads {}.".format(label_text(lock), version, supported), _update(rctx, command))

def _wrong_integrity(rctx, lock, package, wanted, received, command):
    _error(
        rctx,
        "the integrity of {} is not the one in {}.\n  locked:   {}\n  received: {}".format(package, label_text(lock), wanted, received),
        "Find out why your registry serves another file. If that file is right, delete the lock file and run `{}`.".format(command),
    )

def _no_integrity(rctx, lock, package, command):
    _error(
        rctx,
        "{} has no integrity for {}.".format(label_text(lock), package),
        "Slipway installs packages only from a registry. If it is from one, delete the lock file and run `{}`.".format(command),
    )

def _between(text, start, end):
    """The text between the first `start` and the next `end`, or an empty string."""
    return text.partition(start)[2].partition(end)[0]

def _run(rctx, manager, arguments):
    """Runs a package manager. Returns whether it succeeded, and its output."""
    node = host_node(rctx)
    environment = {
        "CI": "true",
        "NO_COLOR": "1",
        # Install scripts call `node`.
        "PATH": "{}:{}".format(node.dirname, rctx.os.environ.get("PATH", "")),
        "npm_config_update_notifier": "false",
    }
    npm = rctx.which("npm")
    if npm:
        # npm searches for the machine's npmrc beside its Node, and finds none beside ours.
        result = rctx.execute([npm, "config", "get", "globalconfig"])
        if result.return_code == 0:
            environment["npm_config_globalconfig"] = result.stdout.strip()
    result = rctx.execute([node, package_manager_script(rctx, manager)] + arguments, timeout = 900, environment = environment)
    return struct(ok = result.return_code == 0, output = result.stdout + "\n" + result.stderr)

def _failed(rctx, manager, output):
    _error(rctx, "{} could not install them.".format(manager), output)

def _cache_folder(rctx):
    root = rctx.os.environ.get("XDG_CACHE_HOME") or (rctx.os.environ.get("HOME", "") + "/.cache")
    return root + "/slipway/pnpm" if root.startswith("/") else None

def _package_of_pnpm(text, integrity):
    """The package with an integrity in a pnpm-lock.yaml, for example `@scope/name@1.0.0`."""
    name = ""
    for line in text.splitlines():
        if line.endswith(":"):
            name = line.strip(" :'")
        elif integrity in line:
            return name
    return "a package"

def install_pnpm_lock(rctx):
    """Installs the packages of a `pnpm-lock.yaml` and verifies the integrity of each.

    Args:
      rctx: the repository context, of the rule npm_repository.
    """
    lock = rctx.attr.pnpm_lock
    text = _place(rctx, lock, "pnpm-lock.yaml", _MAKE_PNPM_LOCK)
    version = _between("\n" + text, "\nlockfileVersion:", "\n").strip(" '\"\r")
    if version.partition(".")[0] != "9":
        _unsupported(rctx, lock, version or "(none)", "9.0", _MAKE_PNPM_LOCK)
    rctx.file("pnpm-workspace.yaml", _PNPM_WORKSPACE.format(json.encode(rctx.attr.run_install_scripts)))
    arguments = [
        "install",
        "--frozen-lockfile",
        # With hard links into the store, an edit here would change every other folder.
        "--package-import-method=copy",
        "--reporter=append-only",
    ]
    if not rctx.attr.dev:
        arguments.append("--prod")
    store = _cache_folder(rctx)
    if store:
        # pnpm would make this folder readable for all. One that another user made is not used: its packages run as this user.
        folder = store.rpartition("/")[0]
        rctx.execute(["mkdir", "-p", "-m", "700", folder])
        if rctx.execute(["test", "-O", folder]).return_code == 0:
            arguments.append("--store-dir=" + store)

    # pnpm also waits and retries after a wrong integrity. So the first run has no retries, and only other failures get a second run.
    result = _run(rctx, "pnpm", arguments + ["--fetch-retries=0"])
    if not result.ok:
        if [code for code in _PNPM_OUTDATED if code in result.output]:
            _outdated(rctx, lock, _MAKE_PNPM_LOCK)
        if "ERR_PNPM_BROKEN_LOCKFILE" in result.output:
            _error(rctx, "{} cannot be read.".format(label_text(lock)), _update(rctx, _MAKE_PNPM_LOCK))
        if "ERR_PNPM_TARBALL_INTEGRITY" in result.output:
            report = result.output.partition("ERR_PNPM_TARBALL_INTEGRITY")[2]
            wanted = _between(report, "Wanted \"", "\"")
            _wrong_integrity(rctx, lock, _package_of_pnpm(text, wanted), wanted, _between(report, "Got \"", "\""), _MAKE_PNPM_LOCK)
        result = _run(rctx, "pnpm", arguments)
    if not result.ok:
        _failed(rctx, "pnpm", result.output)

    # pnpm writes here what it installed, in its own form, whatever the YAML of the lock is.
    installed = rctx.path("node_modules/.pnpm/lock.yaml")
    package = ""
    for line in rctx.read(installed).splitlines() if installed.exists else []:
        if line.endswith(":"):
            package = line.strip(" :'")
        elif line.startswith("    resolution:") and not line.startswith("    resolution: {integrity: "):
            _no_integrity(rctx, lock, package, _MAKE_PNPM_LOCK)

def _package_name(path):
    return path.rpartition("node_modules/")[2]

def install_package_lock(rctx):
    """Installs the packages of a `package-lock.json` and verifies the integrity of each.

    Args:
      rctx: the repository context, of the rule npm_repository.
    """
    lock = rctx.attr.package_lock
    locked = json.decode(_place(rctx, lock, "package-lock.json", _MAKE_PACKAGE_LOCK), default = None)
    if type(locked) != "dict":
        _error(rctx, "{} is not JSON.".format(label_text(lock)), _update(rctx, _MAKE_PACKAGE_LOCK))
    version = locked.get("lockfileVersion", "(none)")
    if version not in [2, 3]:
        _unsupported(rctx, lock, version, "2 and 3", _MAKE_PACKAGE_LOCK)
    packages = {path: entry for path, entry in locked.get("packages", {}).items() if path and not entry.get("inBundle")}
    for path, entry in packages.items():
        if not entry.get("integrity"):
            _no_integrity(rctx, lock, _package_name(path), _MAKE_PACKAGE_LOCK)
    arguments = ["ci", "--ignore-scripts", "--no-audit", "--no-fund", "--loglevel=error"]
    if not rctx.attr.dev:
        arguments.append("--omit=dev")
    result = _run(rctx, "npm", arguments)
    if not result.ok:
        if "npm error code EUSAGE" in result.output:
            _outdated(rctx, lock, _MAKE_PACKAGE_LOCK)
        if "npm error code EINTEGRITY" in result.output:
            wanted = _between(result.output, " wanted ", " ")
            names = [_package_name(path) + "@" + entry["version"] for path, entry in packages.items() if entry["integrity"] == wanted]
            _wrong_integrity(rctx, lock, names[0] if names else "a package", wanted, _between(result.output, " but got ", "\n").partition(" ")[0].rstrip("."), _MAKE_PACKAGE_LOCK)
        _failed(rctx, "npm", result.output)
    if rctx.attr.run_install_scripts:
        result = _run(rctx, "npm", ["rebuild", "--ignore-scripts=false", "--loglevel=error"] + rctx.attr.run_install_scripts)
        if not result.ok:
            _failed(rctx, "npm", result.output)
