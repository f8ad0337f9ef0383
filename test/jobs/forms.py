"""Prints the jobs of forms.bzl as Python has them, by their names, and the fields of the classes."""

import dataclasses
import json
import sys

from slipway import (
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
from slipway._deployments import Code, Interpreter

INTERPRETERS = {
    "tag": ContainerAtTag("registry.example.com/team/python", "3.12"),
    "latest": ContainerAtTag("registry.example.com/team/python"),
    "digest": ContainerAtDigest(
        "registry.example.com/team/python", "sha256:" + "7" * 64
    ),
    "target": ImageTarget("//test/jobs:program"),
    "poetry": PoetryProject("project", python="3.12"),
    "conda": CondaEnv(),
    "pip": PipRequirements("reqs/main.txt"),
    "machine": ServerAvailableInterpreter("/usr/bin/python3"),
    "own": ServerAvailableInterpreter(SLIPWAY_INTERPRETER),
}
CODE = {
    "branch": GitRepoBranch("https://git.example.com/team/report", "next", "src"),
    "main": GitRepoBranch("git@git.example.com:team/report"),
    "commit": GitRepoCommit("https://git.example.com/team/report", "d" * 40),
    "folders": ServerAvailableFolder(["code", "lib"]),
    "none": None,
}

documents = {
    f"{interpreter}_{code}": Deployment(
        INTERPRETERS[interpreter], CODE[code], command=["python", "-m", "report"]
    ).document()
    for interpreter, code in (pair.split("_") for pair in sys.argv[1:])
}
documents["everything"] = Deployment(
    INTERPRETERS["tag"],
    CODE["folders"],
    function="report:total",
    arguments=[1, 2.5, "x", None, True, {"a": [[]]}],
    environment={"LEVEL": "debug"},
    resources={"cpu": 0.5, "memory": "1.5GiB", "gpu": 1},
    network="host",
    platform="linux/arm64",
    time_limit="1h30m",
    retries=2,
).document()


def default(field):
    """`required`, or the default of a field of a data class."""
    if field.default_factory is not dataclasses.MISSING:
        return {"default": field.default_factory()}
    if field.default is not dataclasses.MISSING:
        return {"default": field.default}
    return "required"


classes = [*Interpreter.__args__, *Code.__args__, Deployment]
fields = {
    kind.__name__: {field.name: default(field) for field in dataclasses.fields(kind)}
    for kind in classes
}
json.dump({"documents": documents, "fields": fields}, sys.stdout)
