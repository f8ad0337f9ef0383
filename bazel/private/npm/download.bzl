"""Downloads what Slipway itself needs before anything can be built or installed, in repository rules."""

# What Bazel tells of a command that it ended after its timeout.
_TIMED_OUT = 256

def archive(url, prefix, output = "", sha256 = "", integrity = ""):
    """An archive that `download` may take.

    Args:
      url: string.
      prefix: string, the folder of the archive to unpack.
      output: string, the folder of the repository to unpack it into.
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
    """Whether a firewall leaves connections unanswered: Bazel would try for a minute. Behind a proxy it is the proxy that answers."""
    for name in ["HTTPS_PROXY", "https_proxy"]:
        if rctx.os.environ.get(name):
            return False
    probe = "exec 3<>/dev/tcp/{}/443".format(url.split("/")[2])
    return rctx.execute(["bash", "-c", probe], timeout = 3).return_code == _TIMED_OUT

def _npm_pack(rctx, archive):
    """Fetches a package by the machine's npm, which knows its own registry. Returns an error or None."""
    npm = rctx.which("npm")
    if not npm:
        return "npm is not on PATH."
    rctx.file("download/package.json", "{}")
    result = rctx.execute([npm, "pack", "--loglevel=error", archive.package], working_directory = "download", timeout = 600)
    if result.return_code != 0:
        return result.stderr.strip()

    # npm trusts what its registry says of the package; Bazel compares it with the pin.
    file = archive.url.rpartition("/")[2]
    _unpack(rctx, archive, "file://{}".format(rctx.path("download/" + file)), False)
    rctx.delete("download")
    return None

def download(rctx, archives):
    """Unpacks the first of several archives that can be had: by Bazel's downloader, or else by the machine's npm. Bazel checks the bytes of each.

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

    # Bazel may be told of a mirror, which no rule can know.
    for archive in slow:
        if _unpack(rctx, archive, archive.url, True).success:
            return
    fail("{}: Bazel could not download {} (its warnings say why), nor could npm: {}\nLet Bazel reach one of these, name a mirror with --experimental_downloader_config, or configure npm.".format(
        rctx.name,
        " or ".join([archive.url for archive in archives]),
        problem,
    ))
