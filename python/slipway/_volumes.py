"""Volumes of functions. Keep src/config/volumes.ts and src/containers/volumes.ts the same."""

import re
from typing import Any, Dict, List, Mapping, Optional, Tuple

from slipway._paths import user_path
from slipway._printable import meant

_FIELDS = ("claim", "folder", "writable")
_TAKEN = ("/slipway", "/proc", "/sys", "/dev", "/run")
_TAKEN_ALONE = ("/", "/tmp", "/var/tmp", "/home/slipway", "/etc", "/usr", "/var", "/home", "/bin", "/lib", "/lib64", "/sbin")

# Where, what is wrong, and what to do.
_Complaint = Tuple[str, str, str]


def volume_complaint(volumes: Any) -> Optional[_Complaint]:
    """Returns the first mistake in volumes as somebody wrote them. None if there is none."""
    if not isinstance(volumes, Mapping):
        return "volumes", "is not a dict", 'Write it like {"/data": {"claim": "NAME"}}.'
    paths = [str(path) for path in volumes]
    for path, volume in volumes.items():
        found = _path_complaint(path, paths) or _complaint(volume)
        if found is not None:
            inner, problem, remedy = found
            return f"volumes.{path}{inner}", problem, remedy
    return None


def _path_complaint(path: Any, all_paths: List[str]) -> Optional[_Complaint]:
    remedy = "Write an absolute path of a folder, such as /data."
    if not isinstance(path, str) or not path.startswith("/"):
        return "", "is not an absolute path", remedy
    parts = path.split("/")[1:]
    if path != "/" and (any(part in ("", ".", "..") for part in parts) or re.search(r"[\x00-\x1f:\x7f]", path)):
        return "", "is not the plain path of a folder", remedy
    if path in _TAKEN_ALONE or any(path == each or path.startswith(f"{each}/") for each in _TAKEN):
        return "", "is a folder that containers have already", remedy
    for outer in all_paths:
        if outer != path and path.startswith(f"{outer}/"):
            return "", f"is inside {outer}", "Give it a path of its own."
    return None


def _complaint(volume: Any) -> Optional[_Complaint]:
    example = 'Write {"claim": NAME} or {"folder": PATH}.'
    if not isinstance(volume, Mapping):
        return "", "is not a volume", example
    for name in volume:
        if name not in _FIELDS:
            return f".{name}", f"is not a field of a volume{meant(name, _FIELDS)}", f"Known here: {', '.join(_FIELDS)}."
    claim, folder, writable = (volume.get(name) for name in _FIELDS)
    if (claim is None) == (folder is None):
        problem = "names neither a claim nor a folder" if claim is None else "is a claim and a folder at once"
        return "", problem, example
    if claim is not None and not (isinstance(claim, str) and re.fullmatch(r"[a-z0-9]([-a-z0-9.]{0,251}[a-z0-9])?", claim)):
        remedy = "Write lower-case letters, digits, - and ., with a letter or digit at both ends."
        return ".claim", "is not the name of a claim", remedy
    if folder is not None and not (isinstance(folder, str) and folder and "\0" not in folder):
        return ".folder", "is not a path", "Give a text."
    if writable is not None and not isinstance(writable, bool):
        return ".writable", "is neither True nor False", "Write one of them."
    return None


def absolute_volumes(volumes: Mapping[str, Mapping[str, Any]]) -> Dict[str, Dict[str, Any]]:
    """Volumes with absolute folders: relative ones are relative to the folder where the user called `bazel run`."""
    return {
        path: {**volume, "folder": user_path(volume["folder"])} if "folder" in volume else dict(volume)
        for path, volume in volumes.items()
    }
