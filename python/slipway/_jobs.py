"""Jobs from Python, through the command line: `slipway` on PATH, or the program that SLIPWAY_COMMAND names."""

import dataclasses
import json
import os
import shutil
import subprocess
import tempfile
from typing import Any, Dict, List, Optional, Union

from slipway import _steps
from slipway._deployments import Deployment
from slipway._errors import UserError, reported

_COMMAND = "SLIPWAY_COMMAND"


class JobError(Exception):
    """A `slipway` command failed. The reason, including a function's traceback, is on standard error.

    Attributes:
        status: the exit status of the command: the job's own, or 2 for an error that you can fix.
    """

    def __init__(self, message: str, status: int) -> None:
        super().__init__(message)
        self.status = status


def resolve_job(deployment: Deployment, name: str = "job", folder: Optional[str] = None) -> Dict[str, Any]:
    """Resolves the tags, branches and files of a job to exact versions and writes them to `NAME.lock.json`.

    Args:
        deployment: the job.
        name: the name of the job.
        folder: the folder for relative paths and for the lock. Default: the working directory; under `bazel run`, the one where you called it.

    Returns:
        The content of the lock.

    Raises:
        JobError: the job is invalid, or a tag, branch or file does not exist.
        UserError: the command `slipway` is not found.
    """
    place = _place(folder)
    _slipway("resolve", deployment, name, place, [])
    with open(os.path.join(place, f"{name}.lock.json"), encoding="utf-8") as lock:
        return dict(json.load(lock))


def run_job(
    deployment: Deployment,
    name: str = "job",
    folder: Optional[str] = None,
    engine: Optional[str] = None,
) -> Any:
    """Runs a job and waits for its end.

    If `NAME.lock.json` exists, the job runs at the versions in it, else at its current versions.

    Args:
        deployment: the job.
        name: the name of the job.
        folder: the folder for relative paths and for the lock. Default: the working directory; under `bazel run`, the one where you called it.
        engine: `process`, `container` or `kubernetes`. Default: `kubernetes` if `SLIPWAY_ENGINE` is `kubernetes`, else by the job's interpreter.

    Returns:
        The function's result, or the standard output of a command as a string.

    Raises:
        JobError: the job is invalid, or it failed.
        UserError: the command `slipway` is not found.
    """
    chosen = [] if engine is None else ["--engine", engine]
    _steps.now(f"job {name}", [])
    printed = _slipway("run", deployment, name, _place(folder), chosen)
    return printed if deployment.function is None else json.loads(printed)


@dataclasses.dataclass(frozen=True)
class AwsSecret:
    """A secret in AWS Secrets Manager: JSON with `username` and `password`, or `private_key`."""

    name: str


@dataclasses.dataclass(frozen=True)
class ServerAvailableFile:
    """A file with exactly two lines: the user name and the password."""

    path: str


def add_credentials(service: str, service_url: str, source: Union[AwsSecret, ServerAvailableFile]) -> None:
    """Adds a source of credentials for a registry or a git server, like `slipway credentials add`.

    Args:
        service: `DOCKER` or `GIT`.
        service_url: the registry or git server, such as `git@github.com`.
        source: the place of the secret. Slipway stores only the place, never the secret.

    Raises:
        JobError: the source cannot be read, or the address is invalid.
        UserError: the command `slipway` is not found.
    """
    if isinstance(source, AwsSecret):
        place = ["--aws-secret", source.name]
    else:
        place = ["--file", os.path.abspath(source.path)]
    # Existing programs write the service in capitals.
    _command(["credentials", "add", "--service", service.lower(), "--url", service_url, *place])


def _place(folder: Optional[str]) -> str:
    # `bazel run` starts programs in their runfiles and passes the user's folder in this variable.
    here = os.environ.get("BUILD_WORKING_DIRECTORY", "")
    return os.path.abspath(os.path.join(here, folder or ""))


def _slipway(action: str, deployment: Deployment, name: str, folder: str, options: List[str]) -> str:
    with tempfile.TemporaryDirectory(prefix="slipway-job-") as draft:
        path = os.path.join(draft, f"{name}.json")
        with open(path, "w", encoding="utf-8") as document:
            json.dump(deployment.document(), document, allow_nan=False)
        return _command(["job", action, path, "--folder", folder, *options])


def _command(arguments: List[str]) -> str:
    program = os.environ.get(_COMMAND) or shutil.which("slipway")
    if program is None:
        raise reported(
            UserError,
            "program-missing",
            "slipway",
            "The command slipway is not on PATH.\n"
            f"Install it with `bazel run @slipway//:slipway -- install FOLDER`, or name it in {_COMMAND}.",
        )
    done = subprocess.run([program, *arguments], stdout=subprocess.PIPE, check=False)
    if done.returncode != 0:
        words = " ".join(arguments[:2])
        raise JobError(f"slipway {words} ended with status {done.returncode}.", done.returncode)
    return done.stdout.decode("utf-8")
