"""Runs the package manager inside a repository rule."""

# The package manager itself: fetched by the npm that the machine has, checked by npm against the registry's integrity.
_PNPM = "pnpm@10.34.8"

def _cache_folder(rctx):
    root = rctx.os.environ.get("XDG_CACHE_HOME") or (rctx.os.environ.get("HOME", "") + "/.cache")
    return root + "/slipway/pnpm" if root.startswith("/") else None

def pnpm_install(rctx, folder = "", prod = True):
    """Installs what a `pnpm-lock.yaml` pins, each package checked against the integrity in it.

    Args:
      rctx: the repository context.
      folder: the folder in the repository with package.json, pnpm-lock.yaml and pnpm-workspace.yaml.
      prod: whether devDependencies are left out.
    """
    npm = rctx.which("npm")
    if not npm:
        fail("{}: npm is not on PATH, and it brings the packages of this repository.\nInstall Node with npm (Debian: apt-get install nodejs npm).".format(rctx.name))
    command = [
        npm,
        "exec",
        "--yes",
        "--package=" + _PNPM,
        "--",
        "pnpm",
        "install",
        "--frozen-lockfile",
        # A hard link into the store would let an edit here change every other folder.
        "--package-import-method=copy",
        "--reporter=append-only",
    ]
    if prod:
        command.append("--prod")
    store = _cache_folder(rctx)
    if store:
        command.append("--store-dir=" + store)
    result = rctx.execute(command, timeout = 900, working_directory = folder, environment = {"CI": "true", "NO_COLOR": "1", "npm_config_update_notifier": "false"})
    if result.return_code != 0:
        fail("{}: the npm packages could not be installed.\n{}\n{}".format(rctx.name, result.stdout, result.stderr))
