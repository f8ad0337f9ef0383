"""Declares jobs with every interpreter and every kind of code."""

load("//bazel:defs.bzl", "job")

_INTERPRETERS = {
    "tag": {"ContainerAtTag": {"repository": "registry.example.com/team/python", "tag": "3.12"}},
    "latest": {"ContainerAtTag": {"repository": "registry.example.com/team/python"}},
    "digest": {"ContainerAtDigest": {"repository": "registry.example.com/team/python", "digest": "sha256:" + "7" * 64}},
    "target": {"ImageTarget": {"target": ":program"}},
    "poetry": {"PoetryProject": {"path": "project", "python": "3.12"}},
    "conda": {"CondaEnv": {}},
    "pip": {"PipRequirements": {"path": "reqs/main.txt"}},
    "machine": {"ServerAvailableInterpreter": {"interpreter_path": "/usr/bin/python3"}},
    "own": {"ServerAvailableInterpreter": {"interpreter_path": "SLIPWAY_INTERPRETER"}},
}

_CODE = {
    "branch": {"GitRepoBranch": {"repo_url": "https://git.example.com/team/report", "branch": "next", "path_to_source": "src"}},
    "main": {"GitRepoBranch": {"repo_url": "git@git.example.com:team/report"}},
    "commit": {"GitRepoCommit": {"repo_url": "https://git.example.com/team/report", "commit": "d" * 40}},
    "folders": {"ServerAvailableFolder": {"code_paths": ["code", "lib"]}},
    "none": None,
}

def is_pair(interpreter, code):
    """Whether a job can have both. Environments need their files in the code; images of this repository have their own code."""
    if interpreter == "target":
        return code == "none"
    return code != "none" or interpreter not in ["poetry", "conda", "pip"]

def forms(name):
    """Declares a job for each pair, and one with all other fields.

    Args:
      name: string, the name of the filegroup with the jobs' documents.
    """
    documents = []
    for interpreter, interpreter_fields in _INTERPRETERS.items():
        for code, code_fields in _CODE.items():
            if is_pair(interpreter, code):
                pair = "{}_{}".format(interpreter, code)
                documents.append(pair + "_deployment")
                job(
                    name = pair,
                    interpreter = interpreter_fields,
                    code = code_fields,
                    command = ["python", "-m", "report"],
                )
    job(
        name = "everything",
        interpreter = _INTERPRETERS["tag"],
        code = _CODE["folders"],
        function = "report:total",
        arguments = [1, 2.5, "x", None, True, {"a": [[]]}],
        environment = {"LEVEL": "debug"},
        resources = {"cpu": 0.5, "memory": "1.5GiB", "gpu": 1},
        network = "host",
        platform = "linux/arm64",
        time_limit = "1h30m",
        retries = 2,
    )
    native.filegroup(
        name = name,
        srcs = documents + ["everything_deployment"],
        tags = ["manual"],
    )
