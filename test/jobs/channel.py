"""Writes a conda channel with a Python, made of the one that runs this, and a package for it: `channel.py FOLDER`."""

import hashlib
import io
import json
import os
import platform
import shutil
import sys
import sysconfig
import tarfile

VERSION = platform.python_version()
MINOR = "python%d.%d" % sys.version_info[:2]
SUBDIR = "linux-aarch64" if platform.machine() == "aarch64" else "linux-64"
# What conda replaces by the path of the environment.
PLACEHOLDER = "/opt/anaconda1anaconda2anaconda3"
LEFT_OUT = ("test", "idlelib", "lib2to3", "ensurepip", "tkinter", "turtledemo", "site-packages", "dist-packages", "__pycache__")


def package(folder, subdir, name, version, build, files, index, link=None, prefixed=()):
    """Writes one package; `files` maps its paths to bytes or to paths of files."""
    index = dict(index, name=name, version=version, build=build, build_number=0, subdir=subdir)
    paths = [
        dict(
            {"_path": path, "path_type": "hardlink", "sha256": hashlib.sha256(content).hexdigest(), "size_in_bytes": len(content)},
            **({"prefix_placeholder": PLACEHOLDER, "file_mode": "text"} if path in prefixed else {}),
        )
        for path, content in files.items()
    ]
    info = {"index.json": index, "paths.json": {"paths": paths, "paths_version": 1}}
    if link:
        info["link.json"] = link
    entries = {"info/" + path: json.dumps(content).encode() for path, content in info.items()}
    entries["info/files"] = "".join(path + "\n" for path in files).encode()
    if prefixed:
        entries["info/has_prefix"] = "".join('"%s" "text" "%s"\n' % (PLACEHOLDER, path) for path in prefixed).encode()
    file = os.path.join(folder, subdir, "%s-%s-%s.tar.bz2" % (name, version, build))
    os.makedirs(os.path.dirname(file), exist_ok=True)
    with tarfile.open(file, "w:bz2", compresslevel=1) as tar:
        for path, content in dict(entries, **files).items():
            member = tarfile.TarInfo(path)
            member.size = len(content)
            member.mode = 0o755 if path.startswith("bin/") else 0o644
            tar.addfile(member, io.BytesIO(content))
    with open(file, "rb") as archive:
        content = archive.read()
    digests = {"md5": hashlib.md5(content).hexdigest(), "sha256": hashlib.sha256(content).hexdigest(), "size": len(content)}
    return os.path.basename(file), dict(index, **digests)


def read(path):
    with open(path, "rb") as file:
        return file.read()


def python_files():
    """The interpreter and its library. Some systems look for packages elsewhere, so it is told where they are."""
    files = {"bin/" + MINOR: read(getattr(sys, "_base_executable", None) or sys.executable)}
    files["bin/python"] = files["bin/python3"] = files["bin/" + MINOR]
    library = sysconfig.get_path("stdlib")
    for folder, names, contents in os.walk(library):
        names[:] = [name for name in names if name not in LEFT_OUT and not name.startswith("config-")]
        for name in contents:
            path = os.path.join(folder, name)
            if name != "sitecustomize.py" and os.path.isfile(path):
                files["lib/%s/%s" % (MINOR, os.path.relpath(path, library))] = read(path)
    files["lib/%s/sitecustomize.py" % MINOR] = (
        "import site, sys\nsite.addsitedir(sys.prefix + '/lib/%s/site-packages')\n" % MINOR
    ).encode()
    return files


def main(folder):
    shutil.rmtree(folder, ignore_errors=True)
    python = package(folder, SUBDIR, "python", VERSION, "0_cpython", python_files(), {"depends": []})
    greeting = package(
        folder,
        "noarch",
        "greeting",
        "1.0",
        "py_0",
        {
            "site-packages/greeting.py": b"def main():\n    print('hello')\n",
            "etc/greeting.conf": ("home = %s/share\n" % PLACEHOLDER).encode(),
        },
        {"depends": ["python"], "noarch": "python"},
        {"noarch": {"type": "python", "entry_points": ["greet = greeting:main"]}, "package_metadata_version": 1},
        ("etc/greeting.conf",),
    )
    for subdir, (name, entry) in ((SUBDIR, python), ("noarch", greeting)):
        with open(os.path.join(folder, subdir, "repodata.json"), "w") as file:
            json.dump({"info": {"subdir": subdir}, "packages": {name: entry}, "packages.conda": {}, "repodata_version": 1}, file)


main(sys.argv[1])
