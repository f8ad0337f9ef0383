"""Jobs from Python, through the engine helper of the launch script."""

import dataclasses
import json
import os
import shutil
import subprocess
from typing import Any, Dict, Optional, Union

from slipway import _steps
from slipway._deployments import Deployment
from slipway._errors import Failure, UserError, reported, revive
from slipway._helper import HELPER
from slipway._paths import user_path
from slipway._printable import printable_lines

# Names the program that runs jobs where a program has no engine helper. Default: `slipway` on PATH.
_COMMAND = "SLIPWAY_COMMAND"


class JobError(Exception):
    """A job failed. Its output, including a function's traceback, is on standard error. A job that cannot run raises UserError or Failure.

    Attributes:
        status: the job's exit status, or 1 if it has none.
        code: `job-failed`.
        culprit: the job's ID. None for `add_credentials`.
    """

    code = "job-failed"

    def __init__(self, message: str, status: int, culprit: Optional[str] = None) -> None:
        super().__init__(printable_lines(message))
        self.status = status
        self.culprit = culprit


def resolve_job(deployment: Deployment, name: str = "job", folder: Optional[str] = None) -> Dict[str, Any]:
    """Resolves the tags, branches and files of a job to exact versions and writes them to `NAME.lock.json`.

    Args:
        deployment: the job.
        name: the name of the job.
        folder: the folder for relative paths and for the lock. Default: the working directory; under `bazel run`, the
            one where you called it.

    Returns:
        The content of the lock.

    Raises:
        UserError: the job is invalid, or a tag, branch or file does not exist.
    """
    return dict(_ask("resolve", deployment, name, folder, None))


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
        folder: the folder for relative paths and for the lock. Default: the working directory; under `bazel run`, the
            one where you called it.
        engine: `process`, `container` or `kubernetes`. Default: `kubernetes` if `SLIPWAY_ENGINE` is `kubernetes`, else
            by the job's interpreter.

    Returns:
        The function's result, or the standard output of a command as a string.

    Raises:
        JobError: the job failed.
        UserError: the job is invalid or cannot run here.
    """
    _steps.now(f"job {name}", [])
    return _ask("run", deployment, name, folder, engine)


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
        place = ["--file", user_path(source.path)]
    # Existing programs write the service in capitals.
    words = ["credentials", "add", "--service", service.lower(), "--url", service_url, *place]
    done = subprocess.run([_program(), *words], stdout=subprocess.PIPE, check=False)
    if done.returncode != 0:
        raise JobError(f"slipway credentials add ended with status {done.returncode}.", done.returncode)


def _ask(action: str, deployment: Deployment, name: str, folder: Optional[str], engine: Optional[str]) -> Any:
    """Has the engine helper resolve or run a job. Without one, for example outside of launch scripts, the command line does the same."""
    request = {
        "action": action,
        "name": name,
        "folder": user_path(folder or ""),
        "document": json.dumps(deployment.document(), allow_nan=False),
        **({} if engine is None else {"engine": engine}),
    }
    program = os.environ.get(HELPER) or _program()
    words = [program, "job", "answer"]
    done = subprocess.run(words, input=json.dumps(request).encode(), stdout=subprocess.PIPE, check=False)
    try:
        answer = json.loads(done.stdout)
    except ValueError:
        problem = f"{program} ended with status {done.returncode} before it was done.\nLook at what it printed above."
        raise reported(Failure, "program-failed", program, problem) from None
    if "error" in answer:
        raise revive(answer["error"], program)
    if "failed" in answer:
        failed = answer["failed"]
        raise JobError(failed["message"], failed["status"], failed["id"])
    return answer["result"]


def _program() -> str:
    program = os.environ.get(_COMMAND) or shutil.which("slipway")
    if program is None:
        raise reported(
            UserError,
            "program-missing",
            "slipway",
            "The command slipway is not on PATH.\n"
            f"Install it with `bazel run @slipway//:slipway -- install FOLDER`, or name it in {_COMMAND}.",
        )
    return program
