"""Declares jobs with every interpreter and every kind of code, as in forms.test.ts."""

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

_PAIRS = ["tag_branch", "latest_main", "digest_commit", "target_none", "poetry_folders", "conda_folders", "pip_main", "machine_folders", "own_none"]

def forms(name):
    """Declares a job for each pair, and one with all fields.

    Args:
      name: string, the name of the filegroup with the jobs' documents.
    """
    for pair in _PAIRS:
        interpreter, _, code = pair.partition("_")
        job(
            name = pair,
            interpreter = _INTERPRETERS[interpreter],
            code = _CODE[code],
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
        srcs = [job + "_deployment" for job in _PAIRS + ["everything"]],
        tags = ["manual"],
    )
