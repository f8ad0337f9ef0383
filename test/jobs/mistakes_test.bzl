"""Tests of the errors for mistakes in a job's attributes."""

load("@bazel_skylib//lib:unittest.bzl", "analysistest", "asserts")
load("//bazel/private/job:job_fields.bzl", "check_job")  # buildifier: disable=bzl-visibility

_TAG = {"ContainerAtTag": {"repository": "a.io/b"}}

_MISTAKES = {
    "no_interpreter": ({"command": ["x"]}, "interpreter is missing."),
    "two_interpreters": ({"interpreter": _TAG | {"CondaEnv": {}}}, "interpreter names 2 kinds."),
    "unknown_interpreter": ({"interpreter": {"Container": {}}}, "interpreter[\"Container\"] is not a kind of interpreter."),
    "unknown_field": ({"interpreter": {"ContainerAtTag": {"repo": "a.io/b"}}}, "interpreter[\"ContainerAtTag\"][\"repo\"] is not a field of ContainerAtTag.\nKnown here: repository, tag."),
    "missing_field": ({"interpreter": {"ContainerAtDigest": {"repository": "a.io/b"}}}, "interpreter[\"ContainerAtDigest\"][\"digest\"] is missing."),
    "wrong_type": ({"interpreter": {"ContainerAtTag": {"repository": "a.io/b", "tag": 3}}}, "interpreter[\"ContainerAtTag\"][\"tag\"] is 3, not a string."),
    "unknown_code": ({"interpreter": _TAG, "code": {"Git": {}}}, "code[\"Git\"] is not a kind of code."),
    "one_path": ({"interpreter": _TAG, "code": {"ServerAvailableFolder": {"code_paths": "code"}}}, "code[\"ServerAvailableFolder\"][\"code_paths\"] is \"code\", not a list of strings."),
    "nothing_to_run": ({"interpreter": _TAG}, "command is missing."),
    "both_to_run": ({"interpreter": _TAG, "command": ["x"], "function": "a:b"}, "function is given together with `command`."),
    "command_as_text": ({"interpreter": _TAG, "command": "python -m x"}, "command is \"python -m x\", not a list."),
    "arguments_of_nothing": ({"interpreter": _TAG, "command": ["x"], "arguments": [1]}, "arguments needs a `function`."),
    "variable": ({"interpreter": _TAG, "command": ["x"], "environment": {"A": 1}}, "environment[\"A\"] is 1, not a string."),
    "resource": ({"interpreter": _TAG, "command": ["x"], "resources": {"cpus": 1}}, "resources[\"cpus\"] is not a resource.\nKnown here: cpu, memory, gpu."),
    "half_gpu": ({"interpreter": _TAG, "command": ["x"], "resources": {"gpu": 0.5}}, "resources[\"gpu\"] is 0.5, not int."),
    "network": ({"interpreter": _TAG, "command": ["x"], "network": "bridge"}, "network is \"bridge\"."),
    "retries": ({"interpreter": _TAG, "command": ["x"], "retries": "2"}, "retries is \"2\", not an int."),
    "code_of_image": ({"interpreter": {"ImageTarget": {"target": ":a"}}, "code": {"ServerAvailableFolder": {"code_paths": ["."]}}}, "code is given together with an image target, which contains its code."),
    "function_of_image": ({"interpreter": {"ImageTarget": {"target": ":a"}}, "function": "a:b"}, "function does not work with an image target."),
    "files_of_nothing": ({"interpreter": {"PipRequirements": {}}, "command": ["x"]}, "interpreter[\"PipRequirements\"] needs `code` with its files."),
}

def _checked_impl(ctx):
    check_job("job //pkg:name", json.decode(ctx.attr.fields))

_checked = rule(
    implementation = _checked_impl,
    doc = "Checks a job's fields as the macro does.",
    attrs = {"fields": attr.string(doc = "The fields as JSON.")},
)

def _fails_impl(ctx):
    env = analysistest.begin(ctx)
    asserts.expect_failure(env, "job //pkg:name: " + ctx.attr.says)
    return analysistest.end(env)

_fails_test = analysistest.make(
    _fails_impl,
    expect_failure = True,
    attrs = {"says": attr.string(doc = "A part of the message.")},
)

def mistakes_test_suite(name):
    """Declares a test for each mistake.

    Args:
      name: string, the name of the suite.
    """
    for mistake, (fields, says) in _MISTAKES.items():
        _checked(name = mistake, fields = json.encode(fields), tags = ["manual"])
        _fails_test(name = mistake + "_test", target_under_test = mistake, says = says)
    native.test_suite(name = name, tests = [mistake + "_test" for mistake in _MISTAKES])
