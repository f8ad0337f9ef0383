"""The functions that a program has declared, and how they are called in this process."""

import inspect
import sys
import threading
from typing import TYPE_CHECKING, Any, Callable, Dict, List, NamedTuple, Optional, Sequence, Tuple

from slipway import _running
from slipway._errors import UserError, reported
from slipway._printable import indented_lines, printable

if TYPE_CHECKING:
    import asyncio

# Stands for the whole program instead of one of its functions.
WHOLE_PROGRAM = "main()"


class ImageFunction(NamedTuple):
    name: str
    function: Callable[..., Any]
    options: Dict[str, Any]

    @property
    def concurrency(self) -> int:
        return int(self.options.get("concurrency") or 1)


functions: Dict[str, ImageFunction] = {}
# Results of `setup` by function, in the order in which they came.
_states: Dict[str, Any] = {}
_lock = threading.RLock()
_loop: Optional["asyncio.AbstractEventLoop"] = None


def declare(known: ImageFunction) -> None:
    """Adds a function.

    Raises:
        UserError: the program already has another one of that name.
    """
    before = functions.get(known.name)
    if before is not None and _place_of(before.function) != _place_of(known.function):
        message = f'Two functions of this program are called "{known.name}".\nGive each its own name.'
        raise reported(UserError, "function-failed", known.name, message)
    functions[known.name] = known


def _place_of(function: Callable[..., Any]) -> Any:
    """Where a function is defined: the same for a module that is imported twice, as the program may be."""
    code = getattr(function, "__code__", None)
    return function if code is None else (code.co_filename, code.co_firstlineno)


def unknown_function(name: str, remedy: str) -> UserError:
    known = ", ".join(functions) or "none"
    problem = f'"{name}" is not a function of this program, which has {known}.'
    return reported(UserError, "function-failed", name, f"{problem}\n{remedy}")


def event_loop() -> "asyncio.AbstractEventLoop":
    """The loop of asynchronous functions in the main thread: a connection of one call serves the next."""
    global _loop
    import asyncio

    if _loop is None:
        _loop = asyncio.new_event_loop()
    return _loop


def _finished(result: Any, waits: bool = False) -> Any:
    """The result of a coroutine. A caller that runs in an event loop gets the coroutine itself, and awaits it.

    Args:
        waits: whether such a caller waits for the result too.
    """
    if not inspect.iscoroutine(result):
        return result
    # Not at the top: most workers need neither.
    import asyncio
    from concurrent.futures import ThreadPoolExecutor

    if asyncio._get_running_loop() is None:
        is_main = threading.current_thread() is threading.main_thread()
        return event_loop().run_until_complete(result) if is_main else asyncio.run(result)
    if not waits:
        return result
    with ThreadPoolExecutor(1) as other:
        return other.submit(asyncio.run, result).result()


def state_of(known: ImageFunction) -> Tuple[Any, ...]:
    """The first argument of a function with `setup`, which runs once. One that failed runs again for the next call."""
    setup = known.options.get("setup")
    if setup is None:
        return ()
    with _lock:
        if known.name not in _states:
            call = _running.current()
            # Files that it makes are for all calls.
            own, call.scratch = call.scratch, _running.PROGRAM.scratch
            try:
                _states[known.name] = _finished(setup())
            finally:
                call.scratch, _running.PROGRAM.scratch = own, call.scratch
        return (_states[known.name],)


def call_here(known: ImageFunction, arguments: Sequence[Any], waits: bool = False) -> Any:
    if known.options.get("batch") is None:
        return _finished(known.function(*state_of(known), *arguments), waits)
    return call_batch_here(known, list(arguments))[0]


def call_batch_here(known: ImageFunction, items: List[Any]) -> List[Any]:
    """Calls a function that takes items in batches.

    Raises:
        TypeError: it does not return a list with a result for each item.
    """
    results = _finished(known.function(*state_of(known), items))
    if not isinstance(results, (list, tuple)) or len(results) != len(items):
        given = f"{len(results)} results" if isinstance(results, (list, tuple)) else f"a {type(results).__name__}"
        raise TypeError(f'"{known.name}" returned {given} for a batch of {len(items)} items')
    return list(results)


def end_states() -> None:
    """Calls `teardown` with what `setup` has returned. The last one ends first."""
    for name, state in reversed(list(_states.items())):
        teardown = functions[name].options.get("teardown")
        try:
            if teardown is not None:
                _finished(teardown(state))
        except Exception as error:
            text = indented_lines(f"{type(error).__name__}: {error}")
            print(f"slipway: the teardown of {printable(name)} failed: {text}", file=sys.stderr)
    _states.clear()
