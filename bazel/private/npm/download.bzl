"""Downloads Slipway's own tools in repository rules."""

# Bazel's exit status for a command that timed out.
_TIMED_OUT = 256

def archive(url, prefix, output = "", sha256 = "", integrity = ""):
    """An archive for `download`.

    Args:
      url: string.
      prefix: string, the folder of the archive to unpack.
      output: string, the folder in the repository to unpack into.
      sha256: string, hexadecimal; this or `integrity` pins the bytes.
      integrity: string, as in `sha512-…`.

    Returns:
      struct.
    """
    return struct(url = url, prefix = prefix, output = output, sha256 = sha256, integrity = integrity, package = None)

def npm_archive(package, version, integrity):
    """The archive of an npm package in the public registry.

    Args:
      package: string, its name.
      version: string, exact.
      integrity: string, from `npm view NAME@VERSION dist.integrity`.

    Returns:
      struct.
    """
    return struct(
        url = "https://registry.npmjs.org/{0}/-/{0}-{1}.tgz".format(package, version),
        prefix = "package",
        output = "",
        sha256 = "",
        integrity = integrity,
        package = "{}@{}".format(package, version),
    )

def _unpack(rctx, archive, url, allow_fail):
    return rctx.download_and_extract(url, archive.output, archive.sha256, "", archive.prefix, integrity = archive.integrity, allow_fail = allow_fail)

def _packets_are_dropped(rctx, url):
    """Whether a firewall drops connections silently. Bazel would retry for a minute. With a proxy, the proxy answers."""
    for name in ["HTTPS_PROXY", "https_proxy"]:
        if rctx.os.environ.get(name):
            return False
    probe = "exec 3<>/dev/tcp/{}/443".format(url.split("/")[2])
    return rctx.execute(["bash", "-c", probe], timeout = 3).return_code == _TIMED_OUT

def _npm_pack(rctx, archive):
    """Fetches a package with the machine's npm, which has its own registry settings. Returns an error or None."""
    npm = rctx.which("npm")
    if not npm:
        return "npm is not on PATH."
    rctx.file("download/package.json", "{}")
    result = rctx.execute([npm, "pack", "--loglevel=error", archive.package], working_directory = "download", timeout = 600)
    if result.return_code != 0:
        return result.stderr.strip()

    # npm trusts its registry's integrity, so Bazel verifies the pinned one.
    file = archive.url.rpartition("/")[2]
    _unpack(rctx, archive, "file://{}".format(rctx.path("download/" + file)), False)
    rctx.delete("download")
    return None

def download(rctx, archives):
    """Unpacks the first available archive, with Bazel's downloader or else with the machine's npm. Bazel verifies the bytes of each.

    Args:
      rctx: the repository context.
      archives: list of `archive`, the last one an `npm_archive`.
    """
    slow = []
    for archive in archives:
        if _packets_are_dropped(rctx, archive.url):
            slow.append(archive)
        elif _unpack(rctx, archive, archive.url, True).success:
            return
    problem = _npm_pack(rctx, archives[-1])
    if not problem:
        return

    # Bazel's downloader may have a mirror, which a rule cannot see.
    for archive in slow:
        if _unpack(rctx, archive, archive.url, True).success:
            return
    fail("{}: Bazel could not download {} (its warnings say why), nor could npm: {}\nLet Bazel reach one of these, name a mirror with --experimental_downloader_config, or configure npm.".format(
        rctx.name,
        " or ".join([archive.url for archive in archives]),
        problem,
    ))
