"""Jobs from Python, through the command line: `slipway` on PATH, or what SLIPWAY_COMMAND names."""

import dataclasses
import json
import os
import shutil
import subprocess
import tempfile
from typing import Any, Dict, List, Optional, Union

from slipway._deployments import Deployment
from slipway._errors import UserError

_COMMAND = "SLIPWAY_COMMAND"


class JobError(Exception):
    """A command about a job that ended with another status than 0. Why is on standard error, a function's traceback included.

    Attributes:
        status: of the command: the job's own, 2 for a mistake of the user's.
    """

    def __init__(self, message: str, status: int) -> None:
        super().__init__(message)
        self.status = status


def resolve_job(
    deployment: Deployment, name: str = "job", folder: Optional[str] = None
) -> Dict[str, Any]:
    """Finds out what tags, branches and files of a job mean now, and writes that to `NAME.lock.json`.

    Args:
        deployment: the job.
        name: what the job is called.
        folder: where relative paths start and the lock is kept; by default the working directory.

    Returns:
        The lock.

    Raises:
        JobError: something is wrong with the job, or there is no such tag, branch or file.
        UserError: there is no command line.
    """
    place = os.path.abspath(folder or ".")
    _slipway("resolve", deployment, name, place, [])
    with open(os.path.join(place, f"{name}.lock.json"), encoding="utf-8") as lock:
        return dict(json.load(lock))


def run_job(
    deployment: Deployment,
    name: str = "job",
    folder: Optional[str] = None,
    engine: Optional[str] = None,
) -> Any:
    """Runs a job to its end, as `NAME.lock.json` says where there is one.

    Args:
        deployment: the job.
        name: what the job is called.
        folder: where relative paths start and the lock is kept; by default the working directory.
        engine: `process`, `container` or `kubernetes`; by default what SLIPWAY_ENGINE says.

    Returns:
        What the function gave back; of a command, what it printed.

    Raises:
        JobError: something is wrong with the job, or it failed.
        UserError: there is no command line.
    """
    chosen = [] if engine is None else ["--engine", engine]
    printed = _slipway("run", deployment, name, os.path.abspath(folder or "."), chosen)
    return printed if deployment.function is None else json.loads(printed)


@dataclasses.dataclass(frozen=True)
class AwsSecret:
    """A secret in AWS Secrets Manager: JSON with `username` and `password`, or `private_key`."""

    name: str


@dataclasses.dataclass(frozen=True)
class ServerAvailableFile:
    """A file with exactly two lines, the user name and the password."""

    path: str


def add_credentials(
    service: str, service_url: str, source: Union[AwsSecret, ServerAvailableFile]
) -> None:
    """Says where the credentials for a registry or a git server are: `slipway credentials add`.

    Args:
        service: `DOCKER` or `GIT`.
        service_url: the registry, or the git server, for example `git@github.com`.
        source: where the secret is. Its place is kept, and never the secret.

    Raises:
        JobError: the source cannot be read, or the address is none.
        UserError: there is no command line.
    """
    place = (
        ["--aws-secret", source.name]
        if isinstance(source, AwsSecret)
        else ["--file", os.path.abspath(source.path)]
    )
    # The two names of services are in capitals in documents that others wrote.
    arguments = ["--service", service.lower(), "--url", service_url]
    _command(["credentials", "add", *arguments, *place])


def _slipway(
    action: str, deployment: Deployment, name: str, folder: str, options: List[str]
) -> str:
    with tempfile.TemporaryDirectory(prefix="slipway-job-") as draft:
        path = os.path.join(draft, f"{name}.json")
        with open(path, "w", encoding="utf-8") as document:
            json.dump(deployment.document(), document, allow_nan=False)
        return _command(["job", action, path, "--folder", folder, *options])


def _command(arguments: List[str]) -> str:
    program = os.environ.get(_COMMAND) or shutil.which("slipway")
    if program is None:
        raise UserError(
            "The command slipway is not on PATH.\n"
            f"Put it there with `bazel run @slipway//:slipway -- install FOLDER`, or name it in {_COMMAND}."
        )
    done = subprocess.run([program, *arguments], stdout=subprocess.PIPE, check=False)
    if done.returncode != 0:
        words = " ".join(arguments[:2])
        raise JobError(
            f"slipway {words} ended with status {done.returncode}.", done.returncode
        )
    return done.stdout.decode("utf-8")
