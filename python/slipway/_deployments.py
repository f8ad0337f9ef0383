"""Jobs: an interpreter, its code, and a command or function. The fields are the same as in a job's YAML file."""

# Generated from src/jobs/schema.ts by `node docs/generate/update-job.ts`. Except for the functions.

import dataclasses
from typing import Any, Dict, Mapping, Optional, Sequence, Union

# An `interpreter_path`: the Node that runs Slipway.
SLIPWAY_INTERPRETER = "SLIPWAY_INTERPRETER"


@dataclasses.dataclass(frozen=True)
class ContainerAtTag:
    """A container image by tag, resolved to a digest.

    Args:
        repository: the repository with its registry, such as `docker.io/library/python`.
        tag: the tag. Default: `latest`.
    """

    repository: str
    tag: str = "latest"


@dataclasses.dataclass(frozen=True)
class ContainerAtDigest:
    """A container image by digest.

    Args:
        repository: the repository with its registry, such as `docker.io/library/python`.
        digest: `sha256:` and 64 hexadecimal digits.
    """

    repository: str
    digest: str


@dataclasses.dataclass(frozen=True)
class ImageTarget:
    """An image that Bazel pushed for a pipeline, with interpreter and code in it.

    Args:
        target: the label of the pipeline.
        tag: a key of the pipeline's `bases`. Default: `default`.
    """

    target: str
    tag: str = "default"


@dataclasses.dataclass(frozen=True)
class PoetryProject:
    """A Python environment from `pyproject.toml` and `poetry.lock` in the code.

    Args:
        path: the folder with the two files, relative to the root of the code. Default: `.`.
        python: the Python version, such as `3.12`. Default: an installed one.
        base: the base image for containers. Default: an image of that Python version.
    """

    path: str = "."
    python: Optional[str] = None
    base: Optional[str] = None


@dataclasses.dataclass(frozen=True)
class CondaEnv:
    """A Python environment from a conda environment file in the code.

    Args:
        path: the file, relative to the root of the code. Default: `condaenv.yml`.
        python: the Python version, such as `3.12`. Default: an installed one.
        base: the base image for containers. Default: an image of Debian.
    """

    path: str = "condaenv.yml"
    python: Optional[str] = None
    base: Optional[str] = None


@dataclasses.dataclass(frozen=True)
class PipRequirements:
    """A Python environment from a requirements file in the code.

    Args:
        path: the file, relative to the root of the code. Default: `requirements.txt`.
        python: the Python version, such as `3.12`. Default: an installed one.
        base: the base image for containers. Default: an image of that Python version.
    """

    path: str = "requirements.txt"
    python: Optional[str] = None
    base: Optional[str] = None


@dataclasses.dataclass(frozen=True)
class ServerAvailableInterpreter:
    """An interpreter that is installed on the machine.

    Args:
        interpreter_path: its absolute path, or `SLIPWAY_INTERPRETER` for the Node that runs Slipway.
    """

    interpreter_path: str


@dataclasses.dataclass(frozen=True)
class GitRepoBranch:
    """Code from a git branch, resolved to a commit.

    Args:
        repo_url: the repository, over https or ssh.
        branch: the branch. Default: `main`.
        path_to_source: the folder in the repository that contains the code. Default: `.`.
    """

    repo_url: str
    branch: str = "main"
    path_to_source: str = "."


@dataclasses.dataclass(frozen=True)
class GitRepoCommit:
    """Code from a git commit.

    Args:
        repo_url: the repository, over https or ssh.
        commit: the full ID.
        path_to_source: the folder in the repository that contains the code. Default: `.`.
    """

    repo_url: str
    commit: str
    path_to_source: str = "."


@dataclasses.dataclass(frozen=True)
class ServerAvailableFolder:
    """Code from folders of the machine.

    Args:
        code_paths: the folders. The first is the working directory; all are searched for modules.
    """

    code_paths: Sequence[str]


Interpreter = Union[
    ContainerAtTag,
    ContainerAtDigest,
    ImageTarget,
    PoetryProject,
    CondaEnv,
    PipRequirements,
    ServerAvailableInterpreter,
]
Code = Union[GitRepoBranch, GitRepoCommit, ServerAvailableFolder]


@dataclasses.dataclass(frozen=True)
class Deployment:
    """A job, with the same fields as in a job's YAML file. Slipway checks it when you resolve or run it.

    Args:
        interpreter: the program or environment that runs the job.
        code: the code to run. Required for environments from files, not allowed for `ImageTarget`. Default, also `null`: none.
        command: arguments for the image's entrypoint, or a program with its arguments.
        function: the function to call instead of a command: `module:name` in Python, or the path of a TypeScript or JavaScript
            module with a default export.
        arguments: positional arguments of the function. Default: none.
        environment: environment variables of the job. They override all others. `SECRET:NAME` is the value of a secret.
        resources: limits of the job. Default: none. `cpu`: number of CPUs. `memory`: bytes, or a text such as `512MiB`. `gpu`:
            number of GPUs. `instance_type`: an instance type of `config.yaml`, which the other fields override.
        volumes: claims and folders by the absolute path at which the job sees them, such as `{"/data": {"claim":
            "training-data"}}`. It may change those that are `writable`. Folders are relative to the folder of the job, and not for
            Kubernetes. Default: none.
        network: network of the container, `none` or `host`. Default: `none`. Processes have this machine's, pods their
            cluster's.
        platform: platform of the container image, `os/architecture`. Default: Linux on this machine's processor.
        time_limit: timeout of each attempt, in seconds or as a text such as `1h30m`. Default: no timeout.
        retries: how many times to retry a failed attempt, from 0 to 100. Default: 0.
        matrix: on Kubernetes: variables with lists of values. The command runs once for each combination, as the items of one
            job.
        parallelism: how many items of `matrix` run at once. Default: 50.
        schedule: on Kubernetes: when to run, in cron's form, such as `0 3 * * *`.
        time_zone: time zone of `schedule`, such as `Europe/Berlin`. Default: that of the cluster.
    """

    interpreter: Interpreter
    code: Optional[Code] = None
    command: Optional[Sequence[str]] = None
    function: Optional[str] = None
    arguments: Optional[Sequence[Any]] = None
    environment: Mapping[str, str] = dataclasses.field(default_factory=dict)
    resources: Mapping[str, Union[int, float, str]] = dataclasses.field(default_factory=dict)
    volumes: Optional[Mapping[str, Mapping[str, Union[bool, str]]]] = None
    network: Optional[str] = None
    platform: Optional[str] = None
    time_limit: Optional[Union[int, str]] = None
    retries: int = 0
    matrix: Optional[Mapping[str, Sequence[Union[str, int, float, bool]]]] = None
    parallelism: Optional[int] = None
    schedule: Optional[str] = None
    time_zone: Optional[str] = None

    def document(self) -> Dict[str, Any]:
        """Returns the document that `slipway job` reads, before it is written as JSON."""
        fields = {field.name: getattr(self, field.name) for field in dataclasses.fields(self)}
        return {
            name: _kind(value) if name in ("interpreter", "code") else _plain(value)
            for name, value in fields.items()
            if value is not None
        }


def _kind(value: Union[Interpreter, Code]) -> Dict[str, Any]:
    """One of several kinds. The only key names the kind."""
    fields = dataclasses.asdict(value)
    return {type(value).__name__: {name: _plain(part) for name, part in fields.items() if part is not None}}


def _plain(value: Any) -> Any:
    if isinstance(value, Mapping):
        return dict(value)
    if isinstance(value, Sequence) and not isinstance(value, str):
        return list(value)
    return value
