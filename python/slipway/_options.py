"""Options of functions, and their checks. Keep src/sdk/check-options.ts the same."""

import math
import re
from typing import Any, Callable, Dict, List, Literal, Mapping, Optional, Tuple, TypedDict, Union

from slipway._errors import UserError, reported
from slipway._printable import meant
from slipway._volumes import volume_complaint

Network = Literal["none", "host"]
# Claims and folders, by the absolute path at which they are seen.
Volumes = Mapping[str, Mapping[str, Union[str, bool]]]


class Resources(TypedDict, total=False):
    """Resource limits of one run. Omitted keys are not limited.

    Attributes:
        cpu: number of CPUs; may be a fraction.
        memory: memory: bytes, or a text such as `512MiB`.
        gpu: number of GPUs. The run gets the first GPUs of the machine.
        instance_type: instance type of `config.yaml`, which has CPUs, memory, GPUs and, on Kubernetes, the nodes that
            may run it. The other keys override those of the type.
    """

    cpu: float
    memory: Union[int, str]
    gpu: int
    instance_type: str


class CallOptions(TypedDict, total=False):
    """Options for running a function in this program's image. A map or stream can override them for its items.

    Attributes:
        tag: image to use, a key of the pipeline's `bases`. Default: `default`.
        env: environment variables to set in addition to the image's own. `SECRET:NAME` is the value of a secret of
            `slipway secret`. Default: none.
        network: network of the container, `none` or `host`. Default: `none`. Pods always have the cluster's network.
        resources: resource limits of the container or pod. Default: no limits.
        retries: how many times to retry a failed call, from 0 to 100. Default: 0.
        time_limit: timeout of each attempt, in seconds or as a text such as `1h30m`. Default: no timeout.
        volumes: claims and folders by the absolute path at which the function sees them: `{"/data": {"claim":
            "training-data"}}`. On Kubernetes a PersistentVolumeClaim; on podman and docker a named volume, or a folder
            of this machine, relative to where you called `bazel run`. The function may change what has `"writable":
            True`. Default: none.
        keep: keep results in the registry, in the image's repository. A call whose function, arguments and version have
            a kept result does not run. Failures are not kept. Needs an image. Default: False.
        version: with `keep`, the version of the function. Change it when results are no longer right. Default: the
            image's layers.
        fresh: a worker of its own for each call: a new process, container or pod. Default: False, workers serve one
            call after the other.
        max_calls: a worker ends after so many calls, and another one takes its place. Default: no limit.
        keep_warm: how long containers and pods wait for the next run of this program after its end, in seconds or as a
            text such as `5m`. Default: they end with the program.
    """

    tag: Optional[str]
    env: Optional[Mapping[str, str]]
    network: Optional[Network]
    resources: Optional[Resources]
    retries: Optional[int]
    time_limit: Union[int, str, None]
    volumes: Optional[Volumes]
    keep: Optional[bool]
    version: Optional[str]
    fresh: Optional[bool]
    max_calls: Optional[int]
    keep_warm: Union[int, str, None]


_BYTES_PER = {
    "": 1, "k": 10**3, "M": 10**6, "G": 10**9, "T": 10**12,
    "Ki": 2**10, "Mi": 2**20, "Gi": 2**30, "Ti": 2**40,
}
# The largest integer that JavaScript has.
_LARGEST = 2**53 - 1
_SECRET = "SECRET:"
_SECRET_NAME = re.compile(r"[A-Za-z0-9]([A-Za-z0-9._-]{0,61}[A-Za-z0-9])?", re.ASCII)

# Problem and remedy. None: the value is right.
_Complaint = Optional[Tuple[str, str]]
_Check = Callable[[Any], _Complaint]


def seconds(value: Any) -> Optional[int]:
    """The seconds of `90s`, `1h30m`, `2d` or a number. None for what is no such duration."""
    if isinstance(value, str):
        match = re.fullmatch(r"(?:(\d{1,6})d)?(?:(\d{1,6})h)?(?:(\d{1,6})m)?(?:(\d{1,6})s)?", value, re.ASCII)
        value = match and sum(int(part or 0) * unit for part, unit in zip(match.groups(), (86_400, 3600, 60, 1)))
    return value if _is_whole(value) and 0 < value <= _LARGEST else None


def _wait(value: Any) -> Optional[float]:
    """Seconds, also a part of one: `20ms`."""
    match = re.fullmatch(r"(\d{1,7})ms", value, re.ASCII) if isinstance(value, str) else None
    if match is not None:
        return int(match[1]) / 1000
    is_short = isinstance(value, (int, float)) and not isinstance(value, bool) and 0 <= value < 3600
    return value if is_short else seconds(value)


def _bytes(value: Any) -> Optional[int]:
    if isinstance(value, str):
        match = re.fullmatch(r"(\d{1,15}(?:\.\d{1,6})?) ?(?:([kMGT]|[KMGT]i)?B?)", value, re.ASCII)
        value = match and math.floor(float(match[1]) * _BYTES_PER[match[2] or ""] + 0.5)
    return value if _is_whole(value) and 0 < value <= _LARGEST else None


def _is_whole(value: Any) -> bool:
    return isinstance(value, int) and not isinstance(value, bool)


def _check(is_right: Callable[[Any], Any], problem: str, remedy: str) -> _Check:
    return lambda value: None if is_right(value) else (problem.format(value), remedy)


def _whole(least: int, most: int) -> _Check:
    return _check(lambda value: _is_whole(value) and least <= value <= most, "is {!r}", f"Give a whole number from {least} to {most}.")


def _env(value: Any) -> _Complaint:
    texts: List[Any] = [*value.keys(), *value.values()] if isinstance(value, Mapping) else [None]
    if not all(isinstance(each, str) for each in texts):
        return "does not map names to texts", "Give texts."
    if all(_SECRET_NAME.fullmatch(each[len(_SECRET) :]) for each in texts if each.startswith(_SECRET)):
        return None
    remedy = "Write SECRET:NAME with the name that `slipway secret set` gave it. If this is the secret itself, change the secret."
    return "does not name a secret", remedy


def _batch(value: Any) -> _Complaint:
    if isinstance(value, Mapping) and set(value) <= {"size", "wait"}:
        if _is_whole(value.get("size")) and value["size"] > 0 and _wait(value.get("wait", 0)) is not None:
            return None
    return "is not a batch", 'Write it like {"size": 32, "wait": "20ms"}.'


_flag = _check(lambda value: isinstance(value, bool), "is neither True nor False", "Write one of them.")
_function = _check(callable, "is not a function", "Give a function.")
_duration = _check(seconds, "is {!r}, which is not a duration", "Write it like 90s, 1h30m, 2d, or a number of seconds.")

_RESOURCES: Mapping[str, _Check] = {
    "cpu": _check(
        lambda value: (_is_whole(value) or isinstance(value, float)) and 0.001 <= value <= 10_000,
        "is {!r}",
        "Give a number from 0.001 to 10000.",
    ),
    "memory": _check(_bytes, "is {!r}, which is not an amount of memory", "Write it like 512MiB, 2GB, or a number of bytes."),
    "gpu": _whole(0, 1000),
    "instance_type": _check(lambda value: isinstance(value, str) and value, "is {!r}, not a text", "Name an instance type."),
}

_OPTIONS: Mapping[str, _Check] = {
    "tag": _check(lambda value: isinstance(value, str), "is not a text", "Name a key of the pipeline's `bases`."),
    "env": _env,
    "network": _check(
        lambda value: value in ("none", "host"), "is {!r}, neither none nor host", "Write none, or host to use this machine's network."
    ),
    "resources": _check(lambda value: isinstance(value, Mapping), "is not a dict", 'Write it like {"memory": "512MiB"}.'),
    "retries": _whole(0, 100),
    "time_limit": _duration,
    "volumes": lambda value: None,
    "keep": _flag,
    "version": _check(lambda value: isinstance(value, str) and value, "is not a text", 'Write it like "3".'),
    "fresh": _flag,
    "max_calls": _whole(1, 1_000_000_000),
    "keep_warm": _duration,
}
OF_PROGRAMS = {name: check for name, check in _OPTIONS.items() if name not in ("keep", "version", "fresh", "max_calls", "keep_warm")}
OF_FUNCTIONS: Mapping[str, _Check] = {
    **_OPTIONS,
    "concurrency": _whole(1, 10_000),
    "batch": _batch,
    "setup": _function,
    "teardown": _function,
}
OF_MAPS: Mapping[str, _Check] = {
    **_OPTIONS,
    "parallelism": _check(
        lambda value: _is_whole(value) and value > 0, "is {!r}, which is not a number of calls", "Set it to a whole number of 1 or more."
    ),
}


def check_options(subject: str, options: Mapping[str, Any], known: Mapping[str, _Check] = OF_FUNCTIONS) -> Dict[str, Any]:
    """Checks options, which programs without types can give in any form. None means not given.

    Args:
        subject: what has them, such as `"score"`, for errors.
        known: the options that there are.

    Returns:
        Those that were given, with memory in bytes and durations in seconds.

    Raises:
        UserError: an option is invalid or unknown. The message then names the nearest that is known.
    """
    given = {name: value for name, value in options.items() if value is not None}
    _check_all(subject, "", "an option", given, known)
    complaint_of_volumes = volume_complaint(given.get("volumes", {}))
    if complaint_of_volumes is not None:
        raise _refusal(subject, *complaint_of_volumes)
    _check_all(subject, "resources.", "a resource", given.get("resources", {}), _RESOURCES)
    if "teardown" in given and "setup" not in given:
        raise _refusal(subject, "teardown", "has no setup", "Give `setup` too: `teardown` gets what it returned.")
    if "batch" in given and given.get("concurrency", 1) > 1:
        raise _refusal(subject, "batch", "cannot be used with concurrency", "Choose one of them.")
    if "memory" in given.get("resources", {}):
        given["resources"] = {**given["resources"], "memory": _bytes(given["resources"]["memory"])}
    if "batch" in given:
        given["batch"] = {"size": given["batch"]["size"], "wait": _wait(given["batch"].get("wait", 0))}
    return {name: seconds(value) if name in ("time_limit", "keep_warm") else value for name, value in given.items()}


def _check_all(subject: str, prefix: str, what: str, given: Mapping[str, Any], checks: Mapping[str, _Check]) -> None:
    for name, value in given.items():
        check = checks.get(name)
        if check is None:
            raise _refusal(subject, f"{prefix}{name}", f"is not {what}{meant(name, list(checks))}", f"Known here: {', '.join(checks)}.")
        complaint = check(value)
        if complaint is not None:
            raise _refusal(subject, f"{prefix}{name}", *complaint)


def _refusal(subject: str, path: str, problem: str, remedy: str) -> UserError:
    return reported(UserError, "value-invalid", path, f"{subject}: {path} {problem}.\n{remedy}")
