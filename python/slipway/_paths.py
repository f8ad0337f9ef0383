"""Where files are: those that a person names, and those of the target's `data`."""

import os
import sys
from typing import Iterator, Union

from slipway._errors import UserError, reported

Path = Union[str, "os.PathLike[str]"]


def user_path(path: Path = "") -> str:
    """An absolute path for one that a person wrote, such as an argument of the program.

    `bazel run` starts programs in their runfiles, not where the person is. `file`, `folder`, `save` and volumes do this
    themselves.

    Args:
        path: default: the folder where `bazel run` was called, or the current one without it.
    """
    return os.path.abspath(os.path.join(os.environ.get("BUILD_WORKING_DIRECTORY", ""), path))


def data_file(path: str) -> str:
    """The path of a file in the target's `data`, on this machine and in the image.

    Args:
        path: the file's path in the repository, such as `examples/python/menu.yaml`. For a file of another repository,
            start with `REPOSITORY/`.

    Raises:
        UserError: the file is neither in the runfiles nor beside the program.
    """
    for root in _roots():
        found = os.path.join(root, path)
        if os.path.exists(found):
            return found
    words = f"This program has no file {path}.\nAdd it to `data` of the target, and name it by its path in the repository."
    raise reported(UserError, "file-unreadable", path, words)


def _roots() -> Iterator[str]:
    runfiles = os.environ.get("RUNFILES_DIR")
    if runfiles:
        yield os.path.join(runfiles, os.environ.get("SLIPWAY_MAIN_REPOSITORY", "_main"))
        yield runfiles
    # The program is at REPOSITORY/package/… in its runfiles.
    place = os.path.abspath(sys.argv[0])
    while place != os.path.dirname(place):
        place = os.path.dirname(place)
        yield place
