"""Jobs: an interpreter, its code, and a command or function. The fields are the same as in a job's YAML file."""

import dataclasses
from typing import Any, Dict, Mapping, Optional, Sequence, Union

# An `interpreter_path`: the Node that runs Slipway.
SLIPWAY_INTERPRETER = "SLIPWAY_INTERPRETER"


@dataclasses.dataclass(frozen=True)
class ContainerAtTag:
    """A container image by tag, resolved to a digest. `repository` includes the registry: `docker.io/library/python`."""

    repository: str
    tag: str = "latest"


@dataclasses.dataclass(frozen=True)
class ContainerAtDigest:
    """A container image by digest. `digest` is `sha256:` and 64 hexadecimal digits."""

    repository: str
    digest: str


@dataclasses.dataclass(frozen=True)
class ImageTarget:
    """An image that Bazel pushed for a pipeline, with interpreter and code in it. `tag` is a key of the pipeline's `bases`."""

    target: str
    tag: str = "default"


@dataclasses.dataclass(frozen=True)
class PoetryProject:
    """A Python environment from `pyproject.toml` and `poetry.lock` in the code.

    Args:
        path: the folder with the two files, relative to the root of the code.
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
        path: the file, relative to the root of the code.
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
        path: the file, relative to the root of the code.
        python: the Python version, such as `3.12`. Default: an installed one.
        base: the base image for containers. Default: an image of that Python version.
    """

    path: str = "requirements.txt"
    python: Optional[str] = None
    base: Optional[str] = None


@dataclasses.dataclass(frozen=True)
class ServerAvailableInterpreter:
    """An interpreter that is installed on the machine: its absolute path, or SLIPWAY_INTERPRETER."""

    interpreter_path: str


@dataclasses.dataclass(frozen=True)
class GitRepoBranch:
    """Code from a git branch, resolved to a commit. `path_to_source` is the folder in the repository that contains the code."""

    repo_url: str
    branch: str = "main"
    path_to_source: str = "."


@dataclasses.dataclass(frozen=True)
class GitRepoCommit:
    """Code from a git commit, given by its full ID. `path_to_source` is the folder in the repository that contains the code."""

    repo_url: str
    commit: str
    path_to_source: str = "."


@dataclasses.dataclass(frozen=True)
class ServerAvailableFolder:
    """Code from folders of the machine. The first is the working directory; all are searched for modules."""

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
        code: the code to run. Required for environments from files, not allowed for `ImageTarget`. Default: none.
        command: arguments for the image's entrypoint, or a program with its arguments.
        function: the function to call instead of a command: `module:name`, or the path of a TypeScript or JavaScript module.
        arguments: positional arguments of the function, as JSON. Default: none.
        environment: environment variables of the job. They override all others. `SECRET:NAME` is the value of a secret.
        resources: `cpu`: number of CPUs. `memory`: bytes, or a text such as `512MiB`. `gpu`: number of GPUs. `instance_type`: an instance
            type of `config.yaml`, which the others override. Default: no limits.
        volumes: claims and folders by the absolute path at which the job sees them: `{"/data": {"claim": "training-data"}}`. It may change those
            with `"writable": True`. Folders are relative to the job's folder, and not for Kubernetes. Default: none.
        network: network of the container, `none` or `host`. Default: `none`.
        platform: platform of the container image, `os/architecture`. Default: Linux on this machine's processor.
        time_limit: timeout of each attempt, in seconds or as a text such as `1h30m`. Default: no timeout.
        retries: how many times to retry a failed attempt, from 0 to 100.
        matrix: on Kubernetes: variables with lists of values. The command runs once for each combination, as the items of one job.
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
    network: Optional[str] = None
    platform: Optional[str] = None
    time_limit: Union[int, str, None] = None
    retries: int = 0
    matrix: Optional[Mapping[str, Sequence[Union[str, int, float, bool]]]] = None
    parallelism: Optional[int] = None
    schedule: Optional[str] = None
    time_zone: Optional[str] = None
    volumes: Optional[Mapping[str, Mapping[str, Union[str, bool]]]] = None

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
