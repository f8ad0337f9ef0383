"""Downloads Slipway's own tools in repository rules."""

# Bazel's exit status for a command that timed out.
_TIMED_OUT = 256

def _packets_are_dropped(rctx, url):
    """Whether a firewall drops connections silently. Bazel would retry for a minute. With a proxy, the proxy answers."""
    for name in ["HTTPS_PROXY", "https_proxy"]:
        if rctx.os.environ.get(name):
            return False
    probe = "exec 3<>/dev/tcp/{}/443".format(url.split("/")[2])
    return rctx.execute(["bash", "-c", probe], timeout = 3).return_code == _TIMED_OUT

def download_release(rctx, url, prefix, sha256, otherwise):
    """Unpacks an archive with Bazel's downloader, or calls `otherwise` if its host does not answer.

    Args:
      rctx: the repository context.
      url: string.
      prefix: string, the folder of the archive to unpack.
      sha256: string, hexadecimal.
      otherwise: function without arguments; returns an error or None.
    """

    def unpack():
        return rctx.download_and_extract(url, "", sha256, "", prefix, allow_fail = True).success

    slow = _packets_are_dropped(rctx, url)
    if not slow and unpack():
        return
    problem = otherwise()

    # Bazel's downloader may have a mirror, which a rule cannot see.
    if problem and not (slow and unpack()):
        fail("{}: neither Bazel (see its warning) nor npm could download {}: {}\nLet Bazel reach that host, set a mirror with --experimental_downloader_config, or install npm.".format(
            rctx.name,
            url,
            problem,
        ))

def download_npm_package(rctx, package, version, integrity, npm = None):
    """Unpacks an npm package, fetched by npm from the registry that it is configured for. Bazel verifies the bytes.

    Args:
      rctx: the repository context.
      package: string, its name.
      version: string, exact.
      integrity: string, from `npm view NAME@VERSION dist.integrity`.
      npm: command to use if npm is not on PATH: list of path. Default: none.

    Returns:
      string, an error; None if the package is unpacked.
    """
    on_path = rctx.which("npm")
    command = [on_path] if on_path else npm
    if not command:
        return "npm is not on PATH."
    rctx.file("download/package.json", "{}")
    result = rctx.execute(
        command + ["pack", "--loglevel=error", "{}@{}".format(package, version)],
        working_directory = "download",
        timeout = 600,
        environment = {"npm_config_update_notifier": "false"},
    )
    if result.return_code != 0:
        return result.stderr.strip()

    # npm trusts its registry's integrity, so Bazel verifies the pinned one.
    file = "file://{}".format(rctx.path("download/{}-{}.tgz".format(package, version)))
    rctx.download_and_extract(file, "", "", "", "package", integrity = integrity)
    rctx.delete("download")
    return None
