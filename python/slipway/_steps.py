"""Steps: calls that take the results of others. Keep src/sdk/steps.ts the same."""

import os
import sys
import threading
from concurrent.futures import Future
from typing import Any, Callable, Dict, Generator, Generic, List, NamedTuple, Optional, Sequence, Set, Tuple, TypeVar, cast

from slipway._printable import printable

_R = TypeVar("_R")


class Step(NamedTuple):
    """A call, or a map of calls, that the program has asked for.

    Attributes:
        id: the function's name; with a number, from the second call on.
        name: the function's name.
        after: the steps whose results it takes.
    """

    id: str
    name: str
    after: Sequence[str]


class Handle(Generic[_R]):
    """The result of a call that runs, or will. Pass it to other calls, or take it with `result()` or `await`.

    `result(timeout=None)` waits and returns the result, or raises the call's error. `exception(timeout=None)` waits and
    returns the error, or None. `done()` returns whether the call has ended. `timeout` is in seconds.
    """

    def __init__(self, step: Step) -> None:
        self._step = step
        self._future: "Future[_R]" = Future()
        # True if somebody knows of its failure.
        self._is_taken = False

    def result(self, timeout: Optional[float] = None) -> _R:
        """Waits for the call and returns its result.

        Args:
            timeout: seconds to wait. Default: no limit.

        Raises:
            TimeoutError: it did not end in time.
            Exception: the call failed, or one whose result it takes.
        """
        self._take()
        return self._future.result(timeout)

    def exception(self, timeout: Optional[float] = None) -> Optional[BaseException]:
        """Waits for the call and returns its error. None if it succeeded."""
        self._take()
        return self._future.exception(timeout)

    def done(self) -> bool:
        """Returns whether the call has ended."""
        return self._future.done()

    def __await__(self) -> Generator[Any, None, _R]:
        import asyncio

        self._take()
        return asyncio.wrap_future(self._future).__await__()

    def _take(self) -> None:
        self._is_taken = True
        if _pictured is not None and not self._future.done():
            _print_steps(self._step)


_lock = threading.Lock()
_ids: Set[str] = set()
_handles: Dict[Handle[Any], threading.Thread] = {}
# The steps of a dry run, SLIPWAY_DRY_RUN=steps.
_pictured: Optional[List[str]] = [] if os.environ.get("SLIPWAY_DRY_RUN") == "steps" else None


def now(name: str, takes: Any, items: Optional[int] = None) -> Tuple[Any, Step]:
    """Makes a step that the caller runs, and waits for what it takes.

    Args:
        name: of the function.
        takes: its arguments.
        items: how many a map has, if that is known before it runs.

    Returns:
        The arguments with the results of other steps, and the step.
    """
    handles: List[Handle[Any]] = []
    _collect(takes, handles, [])
    step = _step(name, handles, items)
    if _pictured is not None:
        _print_steps(step)
    return _replaced(takes) if handles else takes, step


def later(name: str, takes: Any, run: Callable[[Any, Step], _R], items: Optional[int] = None) -> Handle[_R]:
    """Makes a step that runs as soon as what it takes is there.

    Args:
        run: gets the arguments with the results of other steps.
    """
    handles: List[Handle[Any]] = []
    _collect(takes, handles, [])
    for each in handles:
        each._is_taken = True
    handle: Handle[_R] = Handle(_step(name, handles, items))
    if _pictured is not None:
        return handle

    def work() -> None:
        handle._future.set_running_or_notify_cancel()
        try:
            handle._future.set_result(run(_replaced(takes) if handles else takes, handle._step))
        except BaseException as error:
            handle._future.set_exception(error)

    thread = threading.Thread(target=work, name=f"slipway {handle._step.id}")
    with _lock:
        _handles[handle] = thread
    thread.start()
    return handle


def finish() -> None:
    """Waits for all steps. Raises the error of one that failed and that nobody took."""
    if _pictured is not None:
        _print_steps(None)
    for handle in list(_handles):
        error = handle._future.exception()
        if error is not None and not handle._is_taken:
            raise error


def abandon() -> None:
    """Waits until steps that were told to stop have done so."""
    for thread in list(_handles.values()):
        thread.join()


def _step(name: str, handles: Sequence[Handle[Any]], items: Optional[int]) -> Step:
    with _lock:
        number, unique = 1, name
        while unique in _ids:
            number += 1
            unique = f"{name}-{number}"
        _ids.add(unique)
    step = Step(unique, name, list(dict.fromkeys(each._step.id for each in handles)))
    if _pictured is not None:
        count = "" if items is None else f" ({items} {'item' if items == 1 else 'items'})"
        after = f" after {', '.join(step.after)}" if step.after else ""
        _pictured.append(printable(f"would run {step.id}{count}{after}"))
    return step


def _members(value: Any) -> Sequence[Any]:
    if isinstance(value, (list, tuple)):
        return value
    return list(value.values()) if isinstance(value, dict) else ()


def _collect(value: Any, found: List[Handle[Any]], above: List[Any]) -> None:
    """Finds handles in lists, tuples and dicts."""
    if isinstance(value, Handle):
        found.append(value)
    elif not any(value is each for each in above):
        for member in _members(value):
            _collect(member, found, [*above, value])


def _replaced(value: Any) -> Any:
    """A copy with results in the place of handles."""
    if isinstance(value, Handle):
        value._is_taken = True
        return value._future.result()
    if isinstance(value, (list, tuple)):
        return [_replaced(each) for each in value]
    return {key: _replaced(each) for key, each in value.items()} if isinstance(value, dict) else value


def _print_steps(needed: Optional[Step]) -> None:
    """Prints the steps, and ends the program, since it needs a result in order to go on."""
    print("\n".join(cast("List[str]", _pictured)))
    if needed is not None:
        text = f"slipway: The program waits for {needed.id}. Steps that depend on how it uses the result are not listed."
        print(text, file=sys.stderr)
    sys.stdout.flush()
    sys.exit(0)
