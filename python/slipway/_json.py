"""JSON between a program and its functions."""

import json
import math
from typing import Any, Optional

from slipway._errors import Failure, UserError, reported
from slipway._files import MARK, MAXIMUM_VALUE, File, compose_form


def encode(value: Any, subject: str, is_last: bool = False) -> str:
    """Writes a value as JSON on one line, and takes the content of its files.

    Args:
        value: None, bool, int, finite float, str, files, and lists, tuples (which arrive as lists) and dicts by str of these.
        subject: the value's name in errors, such as `result of "count"`.
        is_last: whether files change no more.

    Raises:
        UserError: a value in it is not JSON. The message has its path. Or a file cannot be read.
        Failure: the text is too large.
    """
    try:
        problem = _problem(value, "it")
    except RecursionError:
        problem = "it contains itself, or is too deep"
    if problem is not None:
        raise reported(
            UserError,
            "value-invalid",
            subject,
            f"The {subject} is not JSON: {problem}.\n"
            "Pass None, bools, ints, finite floats, strs, lists, dicts by str of these, and files and folders.",
        )
    text = json.dumps(_with_forms(value, is_last), allow_nan=False)
    if len(text) > MAXIMUM_VALUE:
        raise reported(
            Failure,
            "value-invalid",
            subject,
            f"The {subject} takes more than {MAXIMUM_VALUE} bytes as JSON.\n"
            "Write the data to a file, and pass file(path).",
        )
    return text


def _with_forms(value: Any, is_last: bool) -> Any:
    """The value with its files as JSON, and objects that look like one wrapped."""
    if isinstance(value, File):
        return compose_form(value.store(is_last))
    if isinstance(value, (list, tuple)):
        return [_with_forms(each, is_last) for each in value]
    if not isinstance(value, dict):
        return value
    members = {key: _with_forms(each, is_last) for key, each in value.items()}
    return {MARK: "object", "value": members} if MARK in value else members


def _problem(value: Any, path: str) -> Optional[str]:
    if value is None or isinstance(value, (bool, int, str, File)):
        return None
    if isinstance(value, float):
        return None if math.isfinite(value) else f"{path} is {value}"
    if isinstance(value, dict):
        for key in value:
            if not isinstance(key, str):
                return f"{path} has the key {key!r}, which is a {type(key).__name__}"
    elif not isinstance(value, (list, tuple)):
        return f"{path} is a {type(value).__name__}"
    items = value.items() if isinstance(value, dict) else enumerate(value)
    problems = (_problem(item, f"{path}[{key!r}]") for key, item in items)
    return next((each for each in problems if each is not None), None)
