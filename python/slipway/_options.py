"""Checks of the options of functions. Keep src/sdk/check-options.ts the same."""

import difflib
import math
import re
from typing import Any, Callable, Dict, Mapping, Optional, Tuple

from slipway._errors import UserError, reported
from slipway._secrets import names_a_secret
from slipway._volumes import volume_complaint

_BYTES_PER = {
    "": 1, "k": 10**3, "M": 10**6, "G": 10**9, "T": 10**12,
    "Ki": 2**10, "Mi": 2**20, "Gi": 2**30, "Ti": 2**40,
}
# The largest integer that JavaScript has.
_LARGEST = 2**53 - 1

# What a value is not, and how to write it. None if it is right.
_Complaint = Optional[Tuple[str, str]]


def check_options(
    subject: str,
    tag: Any = None,
    env: Any = None,
    network: Any = None,
    resources: Any = None,
    retries: Any = None,
    time_limit: Any = None,
    volumes: Any = None,
    keep: Any = None,
    version: Any = None,
    parallelism: Any = None,
) -> Dict[str, Any]:
    """Checks options, which programs without types can give in any form. None means not given.

    Args:
        subject: what has them, such as `"score"`, for errors.

    Returns:
        The resources, with memory in bytes.

    Raises:
        UserError: an option is invalid, or a resource is unknown. The message then names the nearest that is known.
    """
    texts = [*env.keys(), *env.values()] if isinstance(env, Mapping) else [None]
    for name, value, is_right, problem, remedy in (
        ("tag", tag, isinstance(tag, str), "is not a text", "Name a key of the pipeline's `bases`."),
        ("env", env, all(isinstance(each, str) for each in texts), "does not map names to texts", "Give texts."),
        ("env", env, all(names_a_secret(each) for each in texts if isinstance(each, str)), "does not name a secret",
         "Write SECRET:NAME with the name that `slipway secret set` gave it. If this is the secret itself, change the secret."),
        ("network", network, network in ("none", "host"), f"is {network!r}, neither none nor host",
         "Write none, or host to use this machine's network."),
        ("resources", resources, isinstance(resources, Mapping), "is not a dict", 'Write it like {"memory": "512MiB"}.'),
        ("retries", retries, _is_whole(retries) and 0 <= retries <= 100,
         f"is {retries!r}", "Give a whole number from 0 to 100."),
        ("time_limit", time_limit, seconds(time_limit) is not None,
         f"is {time_limit!r}, which is not a duration", "Write it like 90s, 1h30m, 2d, or a number of seconds."),
        ("keep", keep, isinstance(keep, bool), "is neither True nor False", "Write one of them."),
        ("version", version, isinstance(version, str) and version != "", "is not a text", 'Write it like "3".'),
        ("parallelism", parallelism, _is_whole(parallelism) and parallelism > 0,
         f"is {parallelism!r}, which is not a number of calls", "Set it to a whole number of 1 or more."),
    ):
        if value is not None and not is_right:
            raise _refusal(subject, name, problem, remedy)
    complaint_of_volumes = volume_complaint({} if volumes is None else volumes)
    if complaint_of_volumes is not None:
        raise _refusal(subject, *complaint_of_volumes)
    checked: Dict[str, Any] = {}
    for name, value in (resources or {}).items():
        check = _RESOURCES.get(name)
        complaint = _unknown(name) if check is None else check(value)
        if complaint is not None:
            raise _refusal(subject, f"resources.{name}", *complaint)
        checked[name] = _bytes(value) or 0 if name == "memory" else value
    return checked


def seconds(value: Any) -> Optional[int]:
    """The seconds of `90s`, `1h30m`, `2d` or a number. None for what is no such duration."""
    if isinstance(value, str):
        match = re.fullmatch(r"(?:(\d{1,6})d)?(?:(\d{1,6})h)?(?:(\d{1,6})m)?(?:(\d{1,6})s)?", value, re.ASCII)
        value = match and sum(int(part or 0) * unit for part, unit in zip(match.groups(), (86_400, 3600, 60, 1)))
    return value if _is_whole(value) and 0 < value <= _LARGEST else None


def _refusal(subject: str, path: str, problem: str, remedy: str) -> UserError:
    return reported(UserError, "value-invalid", path, f"{subject}: {path} {problem}.\n{remedy}")


def _unknown(name: object) -> _Complaint:
    near = difflib.get_close_matches(str(name), _RESOURCES, 1)
    hint = f" (did you mean {near[0]}?)" if near else ""
    return f"is not a resource{hint}", f"Known here: {', '.join(_RESOURCES)}."


def _is_whole(value: Any) -> bool:
    return isinstance(value, int) and not isinstance(value, bool)


def _cpu(value: Any) -> _Complaint:
    is_number = _is_whole(value) or isinstance(value, float)
    return None if is_number and 0.001 <= value <= 10_000 else (f"is {value!r}", "Give a number from 0.001 to 10000.")


def _gpu(value: Any) -> _Complaint:
    is_right = _is_whole(value) and 0 <= value <= 1000
    return None if is_right else (f"is {value!r}", "Give a whole number from 0 to 1000.")


def _memory(value: Any) -> _Complaint:
    if _bytes(value) is not None:
        return None
    return f"is {value!r}, which is not an amount of memory", "Write it like 512MiB, 2GB, or a number of bytes."


def _instance_type(value: Any) -> _Complaint:
    return None if isinstance(value, str) and value else (f"is {value!r}, not a text", "Name an instance type.")


_RESOURCES: Mapping[str, Callable[[Any], _Complaint]] = {
    "cpu": _cpu, "memory": _memory, "gpu": _gpu, "instance_type": _instance_type,
}


def _bytes(value: Any) -> Optional[int]:
    if isinstance(value, str):
        match = re.fullmatch(r"(\d{1,15}(?:\.\d{1,6})?) ?(?:([kMGT]|[KMGT]i)?B?)", value, re.ASCII)
        value = match and math.floor(float(match[1]) * _BYTES_PER[match[2] or ""] + 0.5)
    return value if _is_whole(value) and 0 < value <= _LARGEST else None
