"""JSON between a program and its functions."""

import json
import math
from typing import Any, Optional

from slipway._errors import Failure, UserError, reported

# Maximum size of the arguments, and of a result, as JSON, in bytes.
MAXIMUM_BYTES = 16 * 1024 * 1024


def encode(value: Any, subject: str, limit: int = MAXIMUM_BYTES) -> str:
    """Writes a value as JSON on one line.

    Args:
        value: None, bool, int, finite float, str, and lists, tuples (which arrive as lists) and dicts by str of these.
        subject: the value's name in errors, such as `result of "count"`.
        limit: maximum size in bytes.

    Raises:
        UserError: a value in it is not JSON. The message has its path.
        Failure: the text exceeds the limit.
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
            "Pass None, bools, ints, finite floats, strs, lists, and dicts by str of these.",
        )
    text = json.dumps(value, allow_nan=False)
    if len(text) > limit:
        raise reported(
            Failure,
            "value-invalid",
            subject,
            f"The {subject} takes {len(text)} bytes as JSON; at most {limit} are allowed.\n"
            "Store the data where both sides can read it, and pass its name.",
        )
    return text


def _problem(value: Any, path: str) -> Optional[str]:
    if value is None or isinstance(value, (bool, int, str)):
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
