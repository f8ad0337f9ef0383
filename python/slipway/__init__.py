"""What a Python program asks Slipway: its container images, and jobs with any interpreter and any code."""

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
from slipway._images import UserError, container_image, has_container_image
from slipway._jobs import (
    AwsSecret,
    JobError,
    ServerAvailableFile,
    add_credentials,
    resolve_job,
    run_job,
)

__all__ = [
    "SLIPWAY_INTERPRETER",
    "AwsSecret",
    "CondaEnv",
    "ContainerAtDigest",
    "ContainerAtTag",
    "Deployment",
    "GitRepoBranch",
    "GitRepoCommit",
    "ImageTarget",
    "JobError",
    "PipRequirements",
    "PoetryProject",
    "ServerAvailableFile",
    "ServerAvailableFolder",
    "ServerAvailableInterpreter",
    "UserError",
    "add_credentials",
    "container_image",
    "has_container_image",
    "resolve_job",
    "run_job",
]
