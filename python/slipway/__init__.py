"""Slipway for Python programs: their container images, functions that run in them, and jobs."""

from slipway._deployments import (
    SLIPWAY_INTERPRETER,
    CondaEnv,
    ContainerAtDigest,
    ContainerAtTag,
    Deployment,
    GitRepoBranch,
    GitRepoCommit,
    ImageTarget,
    PipRequirements,
    PoetryProject,
    ServerAvailableFolder,
    ServerAvailableInterpreter,
)
from slipway._engine import Engine, engine
from slipway._errors import Failure, ItemFailure, MapError, RemoteError, UserError
from slipway._files import File, file, folder, scratch_folder
from slipway._functions import (
    StepFunction,
    in_image,
    inside_image,
    main,
    map_in_image,
    run_in_image,
)
from slipway._images import container_image, has_container_image
from slipway._jobs import (
    AwsSecret,
    JobError,
    ServerAvailableFile,
    add_credentials,
    resolve_job,
    run_job,
)
from slipway._options import CallOptions, Resources
from slipway._paths import data_file, user_path
from slipway._steps import Handle

__all__ = [
    "SLIPWAY_INTERPRETER",
    "AwsSecret",
    "CallOptions",
    "CondaEnv",
    "ContainerAtDigest",
    "ContainerAtTag",
    "Deployment",
    "Engine",
    "Failure",
    "File",
    "GitRepoBranch",
    "GitRepoCommit",
    "Handle",
    "ImageTarget",
    "ItemFailure",
    "JobError",
    "MapError",
    "PipRequirements",
    "PoetryProject",
    "RemoteError",
    "Resources",
    "ServerAvailableFile",
    "ServerAvailableFolder",
    "ServerAvailableInterpreter",
    "StepFunction",
    "UserError",
    "add_credentials",
    "container_image",
    "data_file",
    "engine",
    "file",
    "folder",
    "has_container_image",
    "in_image",
    "inside_image",
    "main",
    "map_in_image",
    "resolve_job",
    "run_in_image",
    "run_job",
    "scratch_folder",
    "user_path",
]
