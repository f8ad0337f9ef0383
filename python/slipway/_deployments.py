"""What a job is: an interpreter, code for it, and what runs. The same data as in a job's YAML document, field by field."""

import dataclasses
from typing import Any, Dict, Mapping, Optional, Sequence, Union

# The interpreter that Slipway itself runs on: a Node.
SLIPWAY_INTERPRETER = "SLIPWAY_INTERPRETER"


@dataclasses.dataclass(frozen=True)
class ContainerAtTag:
    """The image that a tag names when the job is resolved. `repository` has its registry: `docker.io/library/python`."""

    repository: str
    tag: str = "latest"


@dataclasses.dataclass(frozen=True)
class ContainerAtDigest:
    """One image for ever: `digest` is `sha256:` and 64 hexadecimal digits."""

    repository: str
    digest: str


@dataclasses.dataclass(frozen=True)
class ImageTarget:
    """A pipeline of the Bazel repository, whose image is interpreter and code. `tag` is one of its `bases`."""

    target: str
    tag: str = "default"


@dataclasses.dataclass(frozen=True)
class PoetryProject:
    """An environment of `pyproject.toml` and `poetry.lock` in the folder `path` of the code. `python`: `3.12`, by default what is there."""

    path: str = "."
    python: Optional[str] = None
    base: Optional[str] = None


@dataclasses.dataclass(frozen=True)
class CondaEnv:
    """An environment of a conda environment file in the code."""

    path: str = "condaenv.yml"
    python: Optional[str] = None
    base: Optional[str] = None


@dataclasses.dataclass(frozen=True)
class PipRequirements:
    """An environment of a requirements file in the code."""

    path: str = "requirements.txt"
    python: Optional[str] = None
    base: Optional[str] = None


@dataclasses.dataclass(frozen=True)
class ServerAvailableInterpreter:
    """An interpreter that the machine has, by its absolute path, or SLIPWAY_INTERPRETER."""

    interpreter_path: str


@dataclasses.dataclass(frozen=True)
class GitRepoBranch:
    """The commit that a branch names when the job is resolved. `path_to_source` is the folder of it that is the code."""

    repo_url: str
    branch: str = "main"
    path_to_source: str = "."


@dataclasses.dataclass(frozen=True)
class GitRepoCommit:
    """One commit, all digits of it."""

    repo_url: str
    commit: str
    path_to_source: str = "."


@dataclasses.dataclass(frozen=True)
class ServerAvailableFolder:
    """Folders of the machine: the first is the working directory, all are searched for modules."""

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
    """A job, as a document has it; docs/jobs.md says what its fields mean. What is wrong with them is told when it is resolved or run.

    Args:
        interpreter: what runs it.
        code: what is needed beyond the interpreter.
        command: arguments of the image, or a program with its arguments.
        function: instead of a command: `module:name`, or the path of a TypeScript or JavaScript module.
        arguments: what the function is called with, as JSON has it.
        environment: variables of the job, over all others.
        resources: `cpu`, a number; `memory`, bytes or `512MiB`; `gpu`, a whole number.
        network: `none`, the default of containers, or `host`.
        platform: `os/architecture` of the container image.
        time_limit: seconds, or `1h30m`.
        retries: how often a failed attempt is repeated.
    """

    interpreter: Interpreter
    code: Optional[Code] = None
    command: Optional[Sequence[str]] = None
    function: Optional[str] = None
    arguments: Optional[Sequence[Any]] = None
    environment: Mapping[str, str] = dataclasses.field(default_factory=dict)
    resources: Mapping[str, Union[int, float, str]] = dataclasses.field(
        default_factory=dict
    )
    network: Optional[str] = None
    platform: Optional[str] = None
    time_limit: Union[int, str, None] = None
    retries: int = 0

    def document(self) -> Dict[str, Any]:
        """The job as `slipway job` reads it, once it is JSON."""
        fields = {
            field.name: getattr(self, field.name) for field in dataclasses.fields(self)
        }
        return {
            name: _kind(value) if name in ("interpreter", "code") else _plain(value)
            for name, value in fields.items()
            if value is not None
        }


def _kind(value: Union[Interpreter, Code]) -> Dict[str, Any]:
    """One of several kinds, which the only key names."""
    fields = dataclasses.asdict(value)
    return {
        type(value).__name__: {
            name: _plain(part) for name, part in fields.items() if part is not None
        }
    }


def _plain(value: Any) -> Any:
    if isinstance(value, Mapping):
        return dict(value)
    if isinstance(value, Sequence) and not isinstance(value, str):
        return list(value)
    return value
