"""Functions that run in the program's image, and the program's entry point."""

import functools
import sys
from typing import (
    TYPE_CHECKING, Any, Callable, Dict, Generic, Iterable, Iterator, List, Mapping, Optional, Sequence, Tuple, TypeVar, Union, cast, overload,
)

from slipway import _calls, _helper, _registry, _steps
from slipway._calls import Settled
from slipway._errors import Failure, ItemFailure, MapError, UserError, reported
from slipway._options import OF_MAPS, OF_PROGRAMS, check_options
from slipway._printable import printable_lines
from slipway._registry import WHOLE_PROGRAM, ImageFunction
from slipway._steps import Handle, Step
from slipway._worker import SERVED

if TYPE_CHECKING:
    from typing_extensions import Unpack

    from slipway._options import CallOptions

_R = TypeVar("_R")


class StepFunction(Generic[_R]):
    """A function that runs in the image. Arguments may be handles of other calls, also in lists, tuples and dicts.

    `function(*arguments)` returns the result. `function.submit(*arguments)` returns a `Handle` at once. So does
    `function.map(items, **options)`, of the list of results, with the options of `map_in_image`.
    `function.stream(items, **options)` yields results as they come, of any number of items.
    """

    def __init__(self, known: ImageFunction) -> None:
        functools.update_wrapper(self, known.function)
        self._known = known

    def __call__(self, *arguments: Any) -> _R:
        """Runs the function in the image, and returns its result."""
        done = self._run(*_steps.now(self._known.name, arguments))
        # Here, so that tracebacks are short.
        if done.error is not None:
            raise done.error
        return cast(_R, done.value)

    def submit(self, *arguments: Any) -> Handle[_R]:
        """Runs the function in the image as soon as the results that it takes are there. Returns at once."""
        return _steps.later(self._known.name, arguments, lambda given, step: _result(self._run(given, step)))

    def map(
        self, items: Any, *, parallelism: Optional[int] = None, return_exceptions: bool = False, **options: "Unpack[CallOptions]"
    ) -> Handle[List[_R]]:
        """Runs the function for every item as `map_in_image` does, as soon as the items are there. Returns at once.

        Args:
            items: the items. The list, and each item, may be a handle.
            parallelism: as for `map_in_image`.
            return_exceptions: as for `map_in_image`.
            options: the other options of `map_in_image`.
        """
        own = check_options("map", {"parallelism": parallelism, **options}, OF_MAPS)
        return _steps.later(
            self._known.name, items, lambda given, step: _map(given, self._known, step, own, return_exceptions), _count(items)
        )

    def stream(
        self,
        items: Iterable[Any],
        *,
        ordered: bool = True,
        parallelism: Optional[int] = None,
        return_exceptions: bool = False,
        **options: "Unpack[CallOptions]",
    ) -> Iterator[_R]:
        """Runs the function for every item, and yields the results as they come. Memory does not grow with the number of items.

        Items are taken in a thread, ahead of the results by at most 1,000, or by four times as many as run at once.
        When you leave the iterator, its calls end. At a failed item, it raises the error of the call, which has the
        number of the item as `index`.

        Args:
            items: any iterable, also an endless one.
            ordered: yield results in the order of the items. With False, as they come.
            parallelism: as for `map_in_image`.
            return_exceptions: yield the errors of failed items among the results instead of raising them.
            options: the other options of `map_in_image`.
        """
        own = {**self._known.options, **check_options("stream", {"parallelism": parallelism, **options}, OF_MAPS)}
        given, step = _steps.now(self._known.name, items, _count(items))
        results = _calls.stream_items(step, self._known, own, sys.argv[1:], given, ordered)
        return _each(results, return_exceptions)

    def _run(self, arguments: Any, step: Step) -> Settled:
        known = self._known
        return _calls.call(step, known, known.options, sys.argv[1:], list(arguments))


def _result(done: Settled) -> Any:
    if done.error is not None:
        raise done.error
    return done.value


def _each(results: Iterator[Tuple[int, Settled]], return_exceptions: bool) -> Iterator[Any]:
    for index, each in results:
        if each.error is not None:
            each.error.index = index  # type: ignore[attr-defined]
            if not return_exceptions:
                raise each.error
        yield each.value if each.error is None else each.error


def _count(items: Any) -> Optional[int]:
    return len(items) if isinstance(items, (list, tuple, range)) else None


@overload
def in_image(function: Callable[..., _R]) -> StepFunction[_R]: ...


@overload
def in_image(
    *,
    name: Optional[str] = None,
    concurrency: Optional[int] = None,
    batch: Optional[Mapping[str, Union[int, float, str]]] = None,
    setup: Optional[Callable[[], Any]] = None,
    teardown: Optional[Callable[[Any], Any]] = None,
    **options: "Unpack[CallOptions]",
) -> Callable[[Callable[..., _R]], StepFunction[_R]]: ...


def in_image(
    function: Optional[Callable[..., Any]] = None,
    *,
    name: Optional[str] = None,
    concurrency: Optional[int] = None,
    batch: Optional[Mapping[str, Union[int, float, str]]] = None,
    setup: Optional[Callable[[], Any]] = None,
    teardown: Optional[Callable[[Any], Any]] = None,
    **options: "Unpack[CallOptions]",
) -> Any:
    """Decorates a function so that each call runs it inside this program's image, on the engine that `engine()` returns.

    Use it with or without arguments. Calls start the same program in containers or pods with a read-only root file
    system, where it serves one call after the other. If the program has no image, or there is no container engine,
    functions run in processes on this machine. Their output goes to standard error. Define functions at the top level
    of a module that is imported before you call `main`. A coroutine function works too; the call waits for its result.

    A call raises RemoteError if the function raises (UserError and Failure arrive unchanged), UserError if arguments
    cannot be handed on or there is no image for the tag, and UserError or Failure if the engine does not work.

    Args:
        function: the function. It takes positional arguments only. Arguments and result are JSON, bytes, datetimes,
            arrays of numbers, and files and folders (`file`, `folder`), of at most 256 MiB each.
        name: a name that is unique in the program. Default: the function's name.
        concurrency: how many calls a worker runs at once, for a function that waits for others: in one event loop if it
            is a coroutine function, else in threads. Default: 1.
        batch: the function takes a list of items, and returns a list with a result for each. A worker collects up to
            `size` calls, and waits for them at most `wait` after the first one: `{"size": 32, "wait": "20ms"}`.
            Default: the function takes single items.
        setup: runs once in each worker, before its first call of the function. What it returns is the function's first
            argument. Default: none.
        teardown: gets what `setup` returned when the worker ends. Default: none.
        options: those of `CallOptions`.

    Returns:
        The function to call, or a decorator if it is used with arguments.

    Raises:
        UserError: the program already has another function of that name, or an option is unknown or invalid.
    """
    more = {"concurrency": concurrency, "batch": batch, "setup": setup, "teardown": teardown}

    def define(function: Callable[..., Any]) -> StepFunction[Any]:
        own = name or function.__name__
        known = ImageFunction(own, function, check_options(f'"{own}"', {**more, **options}))
        _registry.declare(known)
        return StepFunction(known)

    return define if function is None else define(function)


def inside_image() -> bool:
    """Returns whether this process was started by a call of a function or `run_in_image`: in the image, or in a process instead."""
    return SERVED is not None


def main(program: Callable[[], Any]) -> None:
    """Runs the program. If this process was started to serve calls of the program's functions, it serves them and exits.

    If the program raises UserError or Failure, the error is printed without a traceback, and the process exits with
    status 2 or 1.

    Args:
        program: the program's body. Its result is only used by `run_in_image`, which returns it.
    """
    if SERVED is not None:
        SERVED.serve(program)
    try:
        try:
            program()
            _steps.finish()
            _helper.settle()
        except BaseException:
            # Nobody needs the results of what still runs.
            _helper.stop()
            _steps.abandon()
            raise
        finally:
            _registry.end_states()
    except (UserError, Failure) as error:
        print(printable_lines(f"{error} [{error.code}]" if error.code else str(error)), file=sys.stderr)
        _helper.ends_with(2 if isinstance(error, UserError) else 1)
        sys.exit(2 if isinstance(error, UserError) else 1)
    except SystemExit as end:
        _helper.ends_with(end.code if isinstance(end.code, int) else int(end.code is not None))
        raise


def run_in_image(*, args: Sequence[str] = (), **options: "Unpack[CallOptions]") -> Any:
    """Runs this whole program inside its own image, on the engine that `engine()` returns, and waits for its end.

    Its output goes to standard error.

    Args:
        args: the program's arguments in the image. Default: none.
        options: those of `CallOptions`, except `keep`, `version`, `fresh`, `max_calls` and `keep_warm`.

    Returns:
        The result of the body that was given to `main`. None if the program exits with status 0 without calling `main`.

    Raises:
        RemoteError: the body raised there. UserError and Failure arrive unchanged.
        Failure: the program ended in another way, or the engine does not work.
        UserError: it was called inside the image, where it would never end; there is no image for the tag; or the
            engine does not work.
    """
    if SERVED is not None:
        raise reported(
            UserError,
            "function-failed",
            "run_in_image",
            "run_in_image was called inside the image, where the program would start itself forever.\n"
            "Check inside_image() first, or pass `args` that tell the program what to do there.",
        )
    own = {**check_options("run_in_image", options, OF_PROGRAMS), "fresh": True}
    return _result(_calls.call(_steps.now(WHOLE_PROGRAM, [])[1], None, own, list(args), []))


def map_in_image(
    items: Sequence[Any],
    function: Union[str, Callable[[Any], Any]],
    *,
    parallelism: Optional[int] = None,
    return_exceptions: bool = False,
    **options: "Unpack[CallOptions]",
) -> List[Any]:
    """Calls a function for every item, as `in_image` describes. On Kubernetes, all workers are one Job.

    Every item is tried, even if others fail. Lines that the function prints stand after its name and the item: `[square
    3] `. A terminal shows the progress in one line; elsewhere a line every 10 s does.

    Args:
        items: the items. Each is the only argument of its call.
        function: the function that `in_image` returned, or its name.
        parallelism: maximum number of workers. Default: as many as fit this machine's CPUs and 80 % of its memory; 50
            on Kubernetes.
        return_exceptions: return failures among the results, as exceptions, instead of raising.
        options: those of `CallOptions`. They override those of `in_image`.

    Returns:
        The results in the order of the items.

    Raises:
        MapError: items failed, and `return_exceptions` is false.
        UserError: an item or option is invalid, there is no such function or image, or the engine does not work. All
            calls have ended by then.
        Failure: the engine does not work. All calls have ended by then.
    """
    known = _find(function)
    own = check_options("map_in_image", {"parallelism": parallelism, **options}, OF_MAPS)
    given, step = _steps.now(known.name, items, _count(items))
    return _map(given, known, step, own, return_exceptions)


def _map(items: Sequence[Any], known: ImageFunction, step: Step, own: Dict[str, Any], return_exceptions: bool) -> List[Any]:
    results = _calls.map_items(step, known, {**known.options, **own}, sys.argv[1:], items)
    failures = [ItemFailure(index, each.error) for index, each in enumerate(results) if each.error is not None]
    if failures and not return_exceptions:
        raise MapError(known.name, len(results), failures)
    return [each.value if each.error is None else each.error for each in results]


def _find(function: Union[str, Callable[..., Any]]) -> ImageFunction:
    found = _registry.functions.get(function) if isinstance(function, str) else getattr(function, "_known", None)
    if isinstance(found, ImageFunction):
        return found
    name = function if isinstance(function, str) else getattr(function, "__name__", str(function))
    raise _registry.unknown_function(name, "Define it with in_image at the top of a module, and pass the returned function or its name.")
