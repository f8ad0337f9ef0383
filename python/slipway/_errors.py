"""Errors that programs see, and how they travel between a program and its functions."""

import re
import traceback
from typing import Any, Dict, List, NamedTuple, Optional, Sequence

# More of an error's text than this tells a person nothing.
_MAXIMUM_TEXT = 64 * 1024
# So many failures of a map are told with their tracebacks, and so many indices at all.
_TOLD = 5
_LISTED = 20


class UserError(Exception):
    """What is wrong, and on a line of its own what to do: the user's mistake, exit status 2."""


class Failure(Exception):
    """What is wrong, and on a line of its own what to do: something that the user did not cause, exit status 1."""


class RemoteError(Exception):
    """An exception that a function raised where it ran, other than UserError and Failure, which arrive as themselves.

    Its cause has the traceback from there.

    Attributes:
        name: the exception's class.
        details: the traceback from where it ran.
    """

    def __init__(
        self, name: str, message: str, details: str, where: str, remedy: Optional[str] = None
    ) -> None:
        super().__init__(f"{name}: {message}" + (f"\n{remedy}" if remedy else ""))
        self.name = name
        self.details = details
        self.__cause__ = _RemoteTraceback(
            f"\n{details.rstrip()}\n--- raised in {where} ---"
        )


class _RemoteTraceback(Exception):
    """Shown by Python above the error that it is the cause of."""


class ItemFailure(NamedTuple):
    """How one item of a map failed."""

    index: int  # type: ignore[assignment]  # in place of the method of tuples
    error: Exception


class MapError(Exception):
    """Some items of `map_in_image` failed. The message lists them, and has the first ones' remote tracebacks.

    Attributes:
        failures: all that failed, by index.
    """

    def __init__(self, name: str, count: int, failures: Sequence[ItemFailure]) -> None:
        indices = ", ".join(str(index) for index, _ in failures[:_LISTED])
        more = (
            f", and {len(failures) - _LISTED} more" if len(failures) > _LISTED else ""
        )
        lines = [f'{len(failures)} of {count} items of "{name}" failed: {indices}{more}.']
        for index, error in failures[:_TOLD]:
            text = error.details.rstrip() if isinstance(error, RemoteError) else str(error)
            lines.append(f"item {index}: {text}")
        super().__init__("\n".join(lines))
        self.failures: List[ItemFailure] = list(failures)


def describe(error: BaseException) -> Dict[str, Any]:
    """An exception as it goes over the line (`RemoteFailure`)."""
    message = str(error)[:_MAXIMUM_TEXT]
    details = message
    if not isinstance(error, (UserError, Failure)):
        # The first entry is that of whoever called the function.
        trace = error.__traceback__ and error.__traceback__.tb_next
        lines = traceback.format_exception(type(error), error, trace)
        details = "".join(lines)[-_MAXIMUM_TEXT:]
    return {"name": type(error).__name__, "message": message, "details": details}


class RanIn(NamedTuple):
    """Where a function ran, and what it could reach there."""

    kind: str
    network: str


def limits_remedy(details: str, ran_in: RanIn) -> Optional[str]:
    """What to do about an error that comes from the limits of containers; None for any other. src/sdk/limits-remedy.ts has the same."""
    if ran_in.kind == "process":
        return None
    if re.search(r"\bEROFS\b|Read-only file system", details, re.IGNORECASE):
        return "The file system of its image is read-only. Write below /tmp, or below HOME (/home/slipway)."
    unreachable = r"\b(EAI_AGAIN|ENETUNREACH)\b|Temporary failure in name resolution|Network is unreachable"
    if ran_in == ("container", "none") and re.search(unreachable, details):
        return 'It ran without a network. Set network="host" in the options of the function.'
    return None


def revive(failure: Dict[str, Any], where: str, ran_in: RanIn) -> Exception:
    """The exception to raise for one that came back."""
    name, message = str(failure["name"]), str(failure["message"])
    if name == "UserError":
        return UserError(message)
    if name == "Failure":
        return Failure(message)
    details = str(failure["details"])
    return RemoteError(name, message, details, where, limits_remedy(details, ran_in))
