"""The public errors, and how errors of functions get back to the program."""

import os
import traceback
from typing import Any, Dict, List, Mapping, NamedTuple, Optional, Sequence, Type, TypeVar, Union

from slipway._printable import indented_lines, printable, printable_lines

# Maximum length of an error's text; more would help nobody.
_MAXIMUM_TEXT = 64 * 1024
# Maximum number of failures of a map printed with their tracebacks, and of indices listed.
_TOLD = 5
_LISTED = 20


_OWN_FOLDERS = (os.path.dirname(__file__), os.path.join(os.path.dirname(traceback.__file__), "asyncio"))


class UserError(Exception):
    """An error that the user can fix, such as a wrong argument. A program that ends with it exits with status 2.

    The first line of the message says what is wrong, the second what to do.

    Attributes:
        code: the kind of error; docs/reference/errors.md lists the codes. None if your program raises the error without
            one.
        culprit: the file, option, image, function or engine at fault. None if your program raises the error without
            one.
    """

    code: Optional[str] = None
    culprit: Optional[str] = None


class Failure(Exception):
    """An error that the user did not cause, such as a failed container. A program that ends with it exits with status 1.

    The first line of the message says what is wrong, the second what to do.

    Attributes:
        code: the kind of error; docs/reference/errors.md lists the codes. None if your program raises the error without
            one.
        culprit: the file, option, image, function or engine at fault. None if your program raises the error without
            one.
    """

    code: Optional[str] = None
    culprit: Optional[str] = None


# By the names that they have in other processes.
_REPORTED: Dict[str, Union[Type[UserError], Type[Failure]]] = {"UserError": UserError, "Failure": Failure}
_Kind = TypeVar("_Kind", bound=Union[UserError, Failure])


def reported(kind: Type[_Kind], code: Optional[str], culprit: Optional[str], message: str) -> _Kind:
    """A UserError or Failure. The last line of the message is the remedy."""
    problem, end, remedy = message.rpartition("\n")
    return _made(kind, code, culprit, indented_lines(problem) + end + printable_lines(remedy))


def _made(kind: Type[_Kind], code: Optional[str], culprit: Optional[str], text: str) -> _Kind:
    error = kind(text)
    error.code, error.culprit = code, culprit and printable(culprit)
    return error


class RemoteError(Exception):
    """An exception that a function raised in its container, pod or process. UserError and Failure arrive unchanged instead.

    Python prints the function's traceback above its own, as the cause.

    Attributes:
        name: the name of the exception's class.
        details: the function's traceback, as text.
    """

    def __init__(self, name: str, message: str, details: str, where: str, remedy: Optional[str] = None) -> None:
        super().__init__(printable_lines(f"{name}: {message}") + (f"\n{remedy}" if remedy else ""))
        self.name = name
        self.details = details
        self.__cause__ = _RemoteTraceback(printable_lines(f"\n{details.rstrip()}\n--- raised in {where} ---"))


class _RemoteTraceback(Exception):
    """The cause of a RemoteError, which Python prints above it."""


class ItemFailure(NamedTuple):
    """A failed item of MapError: its index, from 0, and the exception that a single call would raise."""

    index: int  # type: ignore[assignment]  # in place of the method of tuples
    error: Exception


class MapError(Exception):
    """Some items of `map_in_image` failed. The message lists up to 20 of their indices and the tracebacks of the first 5.

    Attributes:
        failures: all failed items, in the order of their indices.
    """

    def __init__(self, name: str, count: int, failures: Sequence[ItemFailure]) -> None:
        indices = ", ".join(str(index) for index, _ in failures[:_LISTED])
        more = f", and {len(failures) - _LISTED} more" if len(failures) > _LISTED else ""
        lines = [f'{len(failures)} of {count} items of "{printable(name)}" failed: {indices}{more}.']
        for index, error in failures[:_TOLD]:
            text = error.details.rstrip() if isinstance(error, RemoteError) else str(error)
            lines.append(f"item {index}: {text}")
        super().__init__(printable_lines("\n".join(lines)))
        self.failures: List[ItemFailure] = list(failures)


def describe(error: BaseException) -> Dict[str, Any]:
    """Describes an exception as JSON for the caller (`WireError` in TypeScript)."""
    try:
        message = str(error)[:_MAXIMUM_TEXT]
    except Exception:
        message = "its text cannot be shown"
    described = {"name": type(error).__name__, "message": message}
    if isinstance(error, (UserError, Failure)):
        identity = {"code": error.code, "culprit": error.culprit} if error.code else {}
        return {**described, **identity, "details": message}
    # The user's file comes first: neither Slipway nor what runs coroutines for it is of interest.
    trace = error.__traceback__
    while trace and os.path.dirname(trace.tb_frame.f_code.co_filename) in _OWN_FOLDERS:
        trace = trace.tb_next
    lines = traceback.format_exception(type(error), error, trace)
    return {**described, "details": "".join(lines)[-_MAXIMUM_TEXT:]}


def revive(failure: Mapping[str, Any], where: str) -> Exception:
    """The exception to raise for one of another process.

    Args:
        where: where a function runs, if the error does not say.
    """
    name, message = str(failure["name"]), str(failure["message"])
    if name in _REPORTED:
        # A function's own error may have several lines. One of Slipway's is indented already.
        return _made(_REPORTED[name], failure.get("code"), failure.get("culprit"), printable_lines(message))
    remedy = failure.get("remedy")
    shown = None if remedy is None else printable_lines(str(remedy))
    return RemoteError(name, message, str(failure["details"]), str(failure.get("where", where)), shown)
