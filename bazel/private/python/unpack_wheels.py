"""Unpacks the wheels of a folder to another folder, and prints its top-level names by package as JSON.

Wheels are foreign: one that is no plain tree of files below site-packages is refused with its name before anything is written.
"""

import contextlib
import json
import os
import re
import shutil
import stat
import sys
import zipfile
import zlib

# The most that a wheel may unpack to: this, and so many times its own size. Deflate reaches a thousand times.
_FREE_BYTES = 64 << 20
_MAXIMUM_RATIO = 200

# Bazel has no labels with the former, and expands the latter in globs.
_NO_LABEL = re.compile(r"[\x00-\x1f\x7f:\\]")
_NO_NAME = re.compile(r"[*?]")

# A BUILD file would make its folder a Bazel package.
_BUILD_FILES = ("BUILD", "BUILD.bazel")


class Refused(ValueError):
    """A wheel that is not unpacked. The message follows the wheel's name."""


def _canonical(name):
    return re.sub(r"[-_.]+", "-", name).lower()


def _checked_path(entry):
    """The parts of an entry's path, which leads to a place below the root of its archive."""
    name = entry.orig_filename
    parts = name.rstrip("/").split("/")
    if _NO_LABEL.search(name) or any(part in ("", ".", "..") for part in parts):
        raise Refused("has an entry {!a}, which is not a path below site-packages".format(name))
    kind = stat.S_IFMT(entry.external_attr >> 16)
    if kind not in (0, stat.S_IFDIR if entry.is_dir() else stat.S_IFREG):
        raise Refused("has an entry {!a}, which is neither a file nor a folder".format(name))
    return parts


def _place(parts):
    """Where an entry goes below site-packages (Python packaging specifications, "Binary distribution format"), or None."""
    if parts[0].endswith(".data"):
        parts = parts[2:] if parts[1:2] in (["purelib"], ["platlib"]) else []
    if not parts or parts[-1] in _BUILD_FILES:
        return None
    if _NO_NAME.search(parts[0]):
        raise Refused("has {!a} at its top, which is not a name of a Python package".format(parts[0]))
    return "/".join(parts)


def _places(archive, wheel):
    """Every file of a wheel by its place below site-packages."""
    places = {}
    size = 0
    for entry in archive.infolist():
        place = _place(_checked_path(entry))
        size += entry.file_size
        if entry.is_dir() or place is None:
            continue
        if place in places:
            raise Refused("has {!a} twice".format(place))
        places[place] = entry
    if size > _FREE_BYTES + _MAXIMUM_RATIO * os.path.getsize(archive.filename):
        raise Refused("would take {} bytes, more than {} times its own size".format(size, _MAXIMUM_RATIO))
    tops = {place.partition("/")[0] for place in places}
    infos = [top for top in tops if top.endswith(".dist-info")]
    if len(infos) != 1 or not _canonical(infos[0]).startswith(_canonical(wheel.partition("-")[0]) + "-"):
        raise Refused("should have one .dist-info folder, named after it, and has {!a}".format(sorted(infos)))
    return places


def _unpack(archive, places, root, earlier):
    for place, entry in places.items():
        target = os.path.join(root, place)
        os.makedirs(os.path.dirname(target), exist_ok=True)
        if place in earlier:
            # As with pip, the last of several wheels with one file wins.
            os.remove(target)
        # Never over another file of the same wheel, where names do not differ by case.
        with archive.open(entry) as source, open(target, "xb") as output:
            shutil.copyfileobj(source, output)
        # Images are made of it: no program that runs on this machine may change it.
        os.chmod(target, 0o555 if (entry.external_attr >> 16) & 0o100 else 0o444)


@contextlib.contextmanager
def _of(wheel):
    try:
        yield
    except (OSError, EOFError, NotImplementedError, RuntimeError, ValueError, zipfile.BadZipFile, zlib.error) as error:
        problem = str(error) if isinstance(error, Refused) else "cannot be unpacked: {!a}".format(error)
        raise Refused("{!a} {}".format(wheel, problem)) from error


def unpack_wheels(folder, root):
    """Unpacks the wheels of a folder to another folder.

    Returns the names at its top by package. A namespace that several packages share is an entry of its own.
    """
    wheels = {}
    for wheel in sorted(os.listdir(folder)):
        with _of(wheel), zipfile.ZipFile(os.path.join(folder, wheel)) as archive:
            wheels[wheel] = _places(archive, wheel)
    earlier = set()
    owners = {}
    for wheel, places in wheels.items():
        with _of(wheel), zipfile.ZipFile(os.path.join(folder, wheel)) as archive:
            _unpack(archive, places, root, earlier)
        earlier.update(places)
        for top in dict.fromkeys(place.partition("/")[0] for place in places):
            owners.setdefault(top, []).append(wheel.partition("-")[0])
    packages = {}
    for top, distributions in owners.items():
        packages.setdefault(distributions[0] if len(distributions) == 1 else top, []).append(top)
    return packages


if __name__ == "__main__":
    try:
        print(json.dumps(unpack_wheels(sys.argv[1], sys.argv[2]), ensure_ascii=False))
    except Refused as error:
        sys.exit(str(error))
