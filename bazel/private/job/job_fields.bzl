"""The fields of a job, as in src/deployment. They are checked when Bazel loads the BUILD file."""

# Fields by kind; required fields are True.
_INTERPRETERS = {
    "ContainerAtTag": {"repository": True, "tag": False},
    "ContainerAtDigest": {"repository": True, "digest": True},
    "ImageTarget": {"target": True, "tag": False},
    "PoetryProject": {"path": False, "python": False, "base": False},
    "CondaEnv": {"path": False, "python": False, "base": False},
    "PipRequirements": {"path": False, "python": False, "base": False},
    "ServerAvailableInterpreter": {"interpreter_path": True},
}

_CODE = {
    "GitRepoBranch": {"repo_url": True, "branch": False, "path_to_source": False},
    "GitRepoCommit": {"repo_url": True, "commit": True, "path_to_source": False},
    "git_repo": {"repo_url": True, "branch": False, "commit": False, "path_to_source": False},
    "ServerAvailableFolder": {"code_paths": True},
}

_RESOURCES = {"cpu": ["int", "float"], "memory": ["int", "string"], "gpu": ["int"]}

def _wrong(where, field, problem, remedy):
    fail("{}: {} {}.\n{}".format(where, field, problem, remedy))

def _require_type(where, field, value, types, spoken):
    if type(value) not in types:
        _wrong(where, field, "is {}, not {}".format(repr(value), spoken), "Give {}.".format(spoken))

def _check_kind(where, field, value, kinds):
    """Fails unless the value is a dict with one known kind as its only key."""
    _require_type(where, field, value, ["dict"], "a dict")
    if len(value) != 1:
        _wrong(where, field, "names {} kinds".format(len(value)), "Give one of: {}.".format(", ".join(kinds)))
    kind = value.keys()[0]
    if kind not in kinds:
        _wrong(where, "{}[{}]".format(field, repr(kind)), "is not a kind of {}".format(field), "Give one of: {}.".format(", ".join(kinds)))
    place = "{}[\"{}\"]".format(field, kind)
    known, given = kinds[kind], value[kind]
    _require_type(where, place, given, ["dict"], "a dict")
    for name, part in given.items():
        if name not in known:
            _wrong(where, "{}[{}]".format(place, repr(name)), "is not a field of " + kind, "Known here: {}.".format(", ".join(known)))
        if name == "code_paths":
            _require_type(where, place + "[\"code_paths\"]", part, ["list", "tuple"], "a list of strings")
        else:
            _require_type(where, "{}[\"{}\"]".format(place, name), part, ["string"], "a string")
    for name, is_required in known.items():
        if is_required and name not in given:
            _wrong(where, "{}[\"{}\"]".format(place, name), "is missing", "Add it.")

def check_job(where, fields):
    """Fails for mistakes that are visible in the attributes.

    Slipway checks the content of strings (addresses, tags, durations) when it resolves or runs the job.

    Args:
      where: string, the target's name for errors.
      fields: dict of the given fields of the document.
    """
    if "interpreter" not in fields:
        _wrong(where, "interpreter", "is missing", "Give one of: {}; the label of an image; or `deployment`.".format(", ".join(_INTERPRETERS)))
    _check_kind(where, "interpreter", fields["interpreter"], _INTERPRETERS)
    if "code" in fields:
        _check_kind(where, "code", fields["code"], _CODE)
    for name in ["command", "arguments"]:
        if name in fields:
            _require_type(where, name, fields[name], ["list", "tuple"], "a list")
    for part in fields.get("command", []):
        _require_type(where, "command", part, ["string"], "a list of strings")
    for name in ["function", "network", "platform"]:
        if name in fields:
            _require_type(where, name, fields[name], ["string"], "a string")
    for name in ["environment", "resources"]:
        if name in fields:
            _require_type(where, name, fields[name], ["dict"], "a dict")
    for name, value in fields.get("environment", {}).items():
        _require_type(where, "environment[{}]".format(repr(name)), value, ["string"], "a string")
    for name, value in fields.get("resources", {}).items():
        if name not in _RESOURCES:
            _wrong(where, "resources[{}]".format(repr(name)), "is not a resource", "Known here: {}.".format(", ".join(_RESOURCES)))
        _require_type(where, "resources[\"{}\"]".format(name), value, _RESOURCES[name], " or ".join(_RESOURCES[name]))
    if "time_limit" in fields:
        _require_type(where, "time_limit", fields["time_limit"], ["int", "string"], "seconds, or a string such as \"1h30m\"")
    if "retries" in fields:
        _require_type(where, "retries", fields["retries"], ["int"], "an int")
    if "network" in fields and fields["network"] not in ["none", "host"]:
        _wrong(where, "network", "is {}".format(repr(fields["network"])), "Give \"none\" or \"host\".")

    kind = fields["interpreter"].keys()[0]
    if "command" in fields and "function" in fields:
        _wrong(where, "function", "is given together with `command`", "Keep the one to run.")
    if "command" not in fields and "function" not in fields and kind != "ImageTarget":
        _wrong(where, "command", "is missing", "Give `command`, or `function` as module:name.")
    if "arguments" in fields and "function" not in fields:
        _wrong(where, "arguments", "needs a `function`", "Give `function`, or write the arguments into `command`.")
    if kind == "ImageTarget" and "code" in fields:
        _wrong(where, "code", "is given together with an image target, which contains its code", "Leave it out.")
    if kind == "ImageTarget" and "function" in fields:
        _wrong(where, "function", "does not work with an image target", "Give `command`: the arguments of the image's program.")
    if kind in ["PoetryProject", "CondaEnv", "PipRequirements"] and "code" not in fields:
        _wrong(where, "interpreter[\"{}\"]".format(kind), "needs `code` with its files", "Set `code` to the folder that has them.")
