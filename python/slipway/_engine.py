"""The engine that runs a program's functions."""

import atexit
import functools
import os
import shutil
import sys
import tempfile
from typing import Mapping, NamedTuple

from slipway._errors import UserError, reported
from slipway._file_place import FilePlace, lost
from slipway._files import use_place
from slipway._helper import HELPER, helper, place_of_program, started_by_hand
from slipway._images import image_variables
from slipway._printable import meant
from slipway._worker import SERVED

_KINDS = ("container", "kubernetes", "process")


class Engine(NamedTuple):
    """The engine that runs this program's functions.

    Attributes:
        kind: `process`, `container` or `kubernetes`.
        description: a text for people, such as `containers of podman`.
    """

    kind: str
    description: str


_is_told = False


def engine() -> Engine:
    """Returns the engine that runs this program's functions.

    That is the one that `SLIPWAY_ENGINE` names, else containers if podman or docker is set up, else processes on this
    machine. A program without an image always uses processes.

    Raises:
        UserError: `SLIPWAY_ENGINE` is not the name of an engine, this machine does not have that engine, or it needs an
            image and the program has none.
    """
    if SERVED is None:
        check_engine(os.environ)
        if os.environ.get(HELPER):
            return Engine(**helper().ready["engine"])
    return Engine("process", "processes of this machine")


def check_engine(env: Mapping[str, str]) -> None:
    """Raises the errors of `engine` that need no helper."""
    wanted = env.get("SLIPWAY_ENGINE") or None
    if wanted is not None and wanted not in _KINDS:
        raise reported(
            UserError,
            "variable-invalid",
            "SLIPWAY_ENGINE",
            f"SLIPWAY_ENGINE={wanted} is not an engine{meant(wanted, _KINDS)}.\nSet SLIPWAY_ENGINE to container, kubernetes or process, or unset it.",
        )
    images = image_variables(env)
    if not images and wanted in ("container", "kubernetes"):
        culprit = f"SLIPWAY_ENGINE={wanted}"
        raise reported(
            UserError,
            "engine-unavailable",
            culprit,
            f"{culprit}: this program was started without an image.\n"
            "Run the pipeline's own target instead of its _local target, or set SLIPWAY_CONTAINER_IMAGE.",
        )
    if images and wanted != "process" and not env.get(HELPER):
        raise started_by_hand()


def runs_here() -> bool:
    """Returns whether functions run in this process: inside the image, and in a program that its pipeline did not start."""
    global _is_told
    if SERVED is not None:
        return True
    check_engine(os.environ)
    if os.environ.get(HELPER):
        return False
    if not _is_told:
        print("slipway: functions run in this process, because its pipeline did not start it", file=sys.stderr)
    _is_told = True
    return True


@functools.lru_cache(maxsize=1)
def _place_here() -> FilePlace:
    folder = tempfile.mkdtemp(prefix="slipway-files-")
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    return FilePlace(folder, lost)


if SERVED is None:
    use_place(lambda: place_of_program() if os.environ.get(HELPER) else _place_here())
