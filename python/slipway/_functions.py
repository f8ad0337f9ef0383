"""Functions that run in the program's image, and the program's entry point."""

import functools
import os
import sys
from typing import Any, Callable, Dict, Generic, List, Mapping, NamedTuple, Optional, Sequence, Set, TypeVar, Union, cast, overload

from slipway import _engine, _files, _steps
from slipway._engine import Network, Resources, Volumes
from slipway._errors import Failure, ItemFailure, MapError, RanIn, UserError, reported, revive
from slipway._files import decode_arguments
from slipway._images import container_image, image_variables
from slipway._json import encode
from slipway._options import check_options, seconds
from slipway._printable import printable_lines
from slipway._progress import MapProgress
from slipway._protocol import WHOLE_PROGRAM
from slipway._runs import TARGET, BatchRecord, ends_with
from slipway._serving import SERVED, unknown_function
from slipway._steps import Handle, Step
from slipway._volumes import absolute_volumes

_R = TypeVar("_R")


class _Options(NamedTuple):
    """Options of a call. None means not given."""

    tag: Optional[str] = None
    env: Optional[Mapping[str, str]] = None
    network: Optional[Network] = None
    resources: Optional[Resources] = None
    retries: Optional[int] = None
    time_limit: Union[int, str, None] = None
    volumes: Optional[Volumes] = None
    keep: Optional[bool] = None
    version: Optional[str] = None

    def over(self, others: "_Options") -> "_Options":
        """These options, with the others' values for those that are not given."""
        return _Options(*(other if own is None else own for own, other in zip(self, others)))


class _ImageFunction(NamedTuple):
    name: str
    function: Callable[..., Any]
    options: _Options


class StepFunction(Generic[_R]):
    """A function that runs in the image. Arguments may be handles of other calls, also in lists, tuples and dicts.

    `function(*arguments)` returns the result. `function.submit(*arguments)` returns a `Handle` at once. So does
    `function.map(items, **options)`, of the list of results, with the options of `map_in_image`.
    """

    def __init__(self, known: _ImageFunction) -> None:
        functools.update_wrapper(self, known.function)
        self._known = known

    def __call__(self, *arguments: Any) -> _R:
        """Runs the function in the image, and returns its result."""
        result = self._run(*_steps.now(self._known.name, arguments))
        if result.error is not None:
            raise result.error
        return cast(_R, result.value)

    def submit(self, *arguments: Any) -> Handle[_R]:
        """Runs the function in the image as soon as the results that it takes are there. Returns at once."""
        return _steps.later(self._known.name, arguments, lambda given, step: self._run(given, step).get())

    def map(
        self, items: Any, *, parallelism: Optional[int] = None, return_exceptions: bool = False, **options: Any
    ) -> Handle[List[_R]]:
        """Runs the function for every item as `map_in_image` does, as soon as the items are there. Returns at once.

        Args:
            items: the items. The list, and each item, may be a handle.
            parallelism: as for `map_in_image`.
            return_exceptions: as for `map_in_image`.
            options: the other options of `map_in_image`.
        """
        count = len(items) if isinstance(items, (list, tuple, range)) else None
        own = _Options(**options)

        def run(given: Any, step: Step) -> List[_R]:
            return _map(given, self._known, step, own, parallelism, return_exceptions)

        return _steps.later(self._known.name, items, run, count)

    def _run(self, arguments: Any, step: Step) -> "_Settled":
        known = self._known
        text = encode(list(arguments), f'argument list of "{known.name}"')
        if SERVED is not None:
            # Already in the image: call the function directly.
            return _Settled(known.function(*decode_arguments(text)), None)
        return _call(step, text, sys.argv[1:], known.options)


_functions: Dict[str, _ImageFunction] = {}

@overload
def in_image(function: Callable[..., _R]) -> StepFunction[_R]: ...


@overload
def in_image(
    *,
    name: Optional[str] = None,
    tag: Optional[str] = None,
    env: Optional[Mapping[str, str]] = None,
    network: Optional[Network] = None,
    resources: Optional[Resources] = None,
    retries: Optional[int] = None,
    time_limit: Union[int, str, None] = None,
    volumes: Optional[Volumes] = None,
    keep: Optional[bool] = None,
    version: Optional[str] = None,
) -> Callable[[Callable[..., _R]], StepFunction[_R]]: ...


def in_image(
    function: Optional[Callable[..., Any]] = None,
    *,
    name: Optional[str] = None,
    tag: Optional[str] = None,
    env: Optional[Mapping[str, str]] = None,
    network: Optional[Network] = None,
    resources: Optional[Resources] = None,
    retries: Optional[int] = None,
    time_limit: Union[int, str, None] = None,
    volumes: Optional[Volumes] = None,
    keep: Optional[bool] = None,
    version: Optional[str] = None,
) -> Any:
    """Decorates a function so that each call runs it inside this program's image, on the engine that `engine()` returns.

    Use it with or without arguments. Each call starts the same program in a new container or pod with a read-only root file system, runs the
    function there and returns its result. If the program has no image, or there is no container engine, the function runs in a separate process on
    this machine. Its output goes to standard error. Define functions at the top level of a module that is imported before you call `main`. A
    coroutine function works too; the call waits for its result.

    A call raises RemoteError if the function raises (UserError and Failure arrive unchanged), UserError if the arguments are not JSON or there is no
    image for the tag, and UserError or Failure if the engine does not work.

    Args:
        function: the function. It takes positional arguments only. Arguments and result are JSON of at most 256 MiB each, with files and folders in it
            (`file`, `folder`).
        name: a name that is unique in the program. Default: the function's name.
        tag: image to use, a key of the pipeline's `bases`. Default: `default`.
        env: environment variables to set in addition to the image's own. `SECRET:NAME` is the value of a secret of `slipway secret`. Default: none.
        network: network of the container, `none` or `host`. Default: `none`. Pods always have the cluster's network.
        resources: resource limits of the container or pod. Default: no limits.
        retries: how many times to retry a failed call, from 0 to 100. Default: 0.
        time_limit: timeout of each attempt, in seconds or as a text such as `1h30m`. Default: no timeout.
        volumes: claims and folders by the absolute path at which the function sees them: `{"/data": {"claim": "training-data"}}`. On Kubernetes a
            PersistentVolumeClaim; on podman and docker a named volume, or a folder of this machine, relative to where you called `bazel run`.
            The function may change what has `"writable": True`. Default: none.
        keep: keep results in the registry, in the image's repository. A call whose function, arguments and version have a kept result does not run.
            Failures are not kept. Needs an image. Default: False.
        version: with `keep`, the version of the function. Change it when results are no longer right. Default: the image's layers.

    Returns:
        The function to call, or a decorator if it is used with arguments.

    Raises:
        UserError: the program already has another function of that name, or an option is unknown or invalid.
    """
    options = _Options(tag, env, network, resources, retries, time_limit, volumes, keep, version)
    if function is not None:
        return _define(function, name, options)
    return lambda each: _define(each, name, options)


def _define(function: Callable[..., Any], name: Optional[str], options: _Options) -> Any:
    known = _ImageFunction(name or function.__name__, function, options)
    check_options(f'"{known.name}"', *options)
    before = _functions.get(known.name)
    if before is not None and _place_of(before.function) != _place_of(function):
        message = f'Two functions of this program are called "{known.name}".\nGive each its own name.'
        raise reported(UserError, "function-failed", known.name, message)
    _functions[known.name] = known

    return StepFunction(known)


def _place_of(function: Callable[..., Any]) -> Any:
    """Where a function is defined. Identifies the functions of a module that is imported twice, as the program itself may be."""
    code = getattr(function, "__code__", None)
    return function if code is None else (code.co_filename, code.co_firstlineno)


def inside_image() -> bool:
    """Returns whether this process was started by a call of a function or `run_in_image`: in the image, or in a process instead."""
    return SERVED is not None


def main(program: Callable[[], Any]) -> None:
    """Runs the program. If this process was started to run one of the program's functions, it runs only that function and exits.

    If the program raises UserError or Failure, the error is printed without a traceback, and the process exits with status 2 or 1.

    Args:
        program: the program's body. Its result is only used by `run_in_image`, which returns it.
    """
    if SERVED is not None:
        SERVED.serve({name: each.function for name, each in _functions.items()}, program)
    try:
        try:
            program()
            _steps.finish()
            _engine.settle()
        except BaseException:
            # Nobody needs the results of what still runs.
            _engine.stop()
            _steps.abandon()
            raise
    except (UserError, Failure) as error:
        print(printable_lines(f"{error} [{error.code}]" if error.code else str(error)), file=sys.stderr)
        ends_with(2 if isinstance(error, UserError) else 1)
        sys.exit(2 if isinstance(error, UserError) else 1)
    except SystemExit as end:
        ends_with(end.code if isinstance(end.code, int) else int(end.code is not None))
        raise


def run_in_image(
    *,
    args: Sequence[str] = (),
    tag: Optional[str] = None,
    env: Optional[Mapping[str, str]] = None,
    network: Optional[Network] = None,
    resources: Optional[Resources] = None,
    retries: Optional[int] = None,
    time_limit: Union[int, str, None] = None,
    volumes: Optional[Volumes] = None,
) -> Any:
    """Runs this whole program inside its own image, on the engine that `engine()` returns, and waits for its end.

    Its output goes to standard error.

    Args:
        args: the program's arguments in the image. Default: none.
        tag: as for `in_image`.
        env: as for `in_image`.
        network: as for `in_image`.
        resources: as for `in_image`.
        retries: as for `in_image`.
        time_limit: as for `in_image`.
        volumes: as for `in_image`.

    Returns:
        The result of the body that was given to `main`, as JSON. None if the program exits with status 0 without calling `main`.

    Raises:
        RemoteError: the body raised there. UserError and Failure arrive unchanged.
        Failure: the program ended in another way, or the engine does not work.
        UserError: it was called inside the image, where it would never end; there is no image for the tag; or the engine does not work.
    """
    if SERVED is not None:
        raise reported(
            UserError,
            "function-failed",
            "run_in_image",
            "run_in_image was called inside the image, where the program would start itself forever.\n"
            "Check inside_image() first, or pass `args` that tell the program what to do there.",
        )
    options = _Options(tag, env, network, resources, retries, time_limit, volumes)
    check_options("run_in_image", *options)
    result = _call(_steps.now(WHOLE_PROGRAM, [])[1], "[]", list(args), options)
    if result.error is not None:
        raise result.error
    return result.value


def map_in_image(
    items: Sequence[Any],
    function: Union[str, Callable[[Any], Any]],
    *,
    parallelism: Optional[int] = None,
    return_exceptions: bool = False,
    tag: Optional[str] = None,
    env: Optional[Mapping[str, str]] = None,
    network: Optional[Network] = None,
    resources: Optional[Resources] = None,
    retries: Optional[int] = None,
    time_limit: Union[int, str, None] = None,
    volumes: Optional[Volumes] = None,
    keep: Optional[bool] = None,
    version: Optional[str] = None,
) -> List[Any]:
    """Calls a function for every item, each in its own container as with `in_image`. On Kubernetes, all calls are one Job.

    Every item is tried, even if others fail. Lines that the function prints stand after its name and the item: `[square 3] `.
    A terminal shows the progress in one line; elsewhere a line every 10 s does.

    Args:
        items: the items. Each is JSON and is the only argument of its call.
        function: the function that `in_image` returned, or its name.
        parallelism: maximum number of parallel calls. Default: as many as fit this machine's CPUs and 80 % of its memory; 50 on Kubernetes.
        return_exceptions: return failures among the results, as exceptions, instead of raising.
        tag: overrides the option of `in_image`.
        env: overrides the option of `in_image`.
        network: overrides the option of `in_image`.
        resources: overrides the option of `in_image`.
        retries: overrides the option of `in_image`.
        time_limit: overrides the option of `in_image`.
        volumes: overrides the option of `in_image`.
        keep: overrides the option of `in_image`.
        version: overrides the option of `in_image`.

    Returns:
        The results in the order of the items.

    Raises:
        MapError: items failed, and `return_exceptions` is false.
        UserError: an item or option is invalid, there is no such function or image, or the engine does not work. All calls have ended by then.
        Failure: the engine does not work. All calls have ended by then.
    """
    known = _find(function)
    count = len(items) if isinstance(items, (list, tuple, range)) else None
    options = _Options(tag, env, network, resources, retries, time_limit, volumes, keep, version)
    given, step = _steps.now(known.name, items, count)
    return _map(given, known, step, options, parallelism, return_exceptions)


def _map(
    items: Sequence[Any],
    known: _ImageFunction,
    step: Step,
    options: _Options,
    parallelism: Optional[int],
    return_exceptions: bool,
) -> List[Any]:
    check_options("map_in_image", *options, parallelism)
    inputs = [encode([item], f'item {index} for "{known.name}"') for index, item in enumerate(items)]
    if SERVED is not None:
        results = [_here(known, text) for text in inputs]
    elif inputs:
        results = _map_there(step, inputs, options.over(known.options), parallelism)
    else:
        results = []
    failures = [ItemFailure(index, each.error) for index, each in enumerate(results) if each.error is not None]
    if failures and not return_exceptions:
        raise MapError(known.name, len(results), failures)
    return [each.value if each.error is None else each.error for each in results]


class _Settled(NamedTuple):
    value: Any
    error: Optional[Exception]

    def get(self) -> Any:
        if self.error is not None:
            raise self.error
        return self.value


def _here(known: _ImageFunction, text: str) -> _Settled:
    try:
        return _Settled(known.function(*decode_arguments(text)), None)
    except Exception as error:
        return _Settled(None, error)


def _map_there(
    step: Step, inputs: Sequence[str], options: _Options, parallelism: Optional[int]
) -> List[_Settled]:
    results: List[Optional[_Settled]] = [None] * len(inputs)
    progress = MapProgress(step.name, len(inputs), sys.stderr)

    def settled(index: int, each: _Settled) -> None:
        results[index] = each
        progress.settled(each.error is None)

    try:
        labels = "colored" if sys.stderr.isatty() and not os.environ.get("NO_COLOR") else "plain"
        _calls(step, inputs, sys.argv[1:], options, parallelism, settled, progress.print, labels)
    finally:
        progress.finish()
    return cast("List[_Settled]", results)


def _call(step: Step, text: str, arguments: Sequence[str], options: _Options) -> _Settled:
    results: List[_Settled] = []
    _calls(step, [text], arguments, options, None, lambda _, each: results.append(each), _to_stderr)
    return results[0]


def _calls(
    step: Step,
    inputs: Sequence[str],
    arguments: Sequence[str],
    options: _Options,
    parallelism: Optional[int],
    settled: Callable[[int, _Settled], None],
    output: Callable[[bytes], None],
    labels: Optional[str] = None,
) -> None:
    name = step.name
    images = image_variables()
    kind = _engine.engine().kind
    image = container_image(options.tag or "default") if images else None
    network = options.network or "none"
    place = _engine.place_of(kind, image)
    limits = _engine.placed(check_options(f'"{name}"', resources=options.resources), f'"{name}"')
    ran_in = RanIn("process" if image is None else kind, network, limits.get("memory"))
    batch: _engine.Batch = {
        "programArguments": list(arguments),
        "env": {**images, **(options.env or {})},
        "network": network,
        "resources": limits,
        "id": step.id,
        "after": step.after,
        "name": name,
        "inputs": _files.send(list(inputs), kind, image),
    }
    files = None if kind == "kubernetes" else _files.folder_for_files()
    if files is not None:
        batch["files"] = files
    if image is not None:
        batch["image"] = image
    if labels is not None:
        batch["labels"] = labels
    if parallelism is not None:
        batch["parallelism"] = parallelism
    if options.retries is not None:
        batch["retries"] = options.retries
    if options.volumes is not None:
        batch["volumes"] = absolute_volumes(options.volumes)
    time_limit = seconds(options.time_limit)
    if time_limit is not None:
        batch["timeLimit"] = time_limit
    if options.keep:
        batch["keep"] = {} if options.version is None else {"version": options.version}
        if os.environ.get(TARGET):
            batch["keep"]["program"] = os.environ[TARGET]
    known = {"id": step.id, "name": name, "after": step.after, "items": len(inputs), "isMap": labels is not None}
    record = BatchRecord(ran_in.kind, [] if image is None else [image], known)
    done: Set[int] = set()

    def on_outcome(index: int, outcome: Dict[str, Any]) -> None:
        done.add(index)
        each = _settle(name, outcome, place, ran_in)
        if each.error is None:
            try:
                each = _Settled(_files.receive(each.value, kind, image), None)
            except (UserError, Failure) as error:
                each = _Settled(None, error)
        record.ended(index, each.error, each.value, "kept" in outcome)
        settled(index, each)

    def on_output(data: bytes) -> None:
        record.printed(data)
        output(data)

    try:
        _engine.run(batch, on_outcome, on_output, record.started)
    except BaseException as error:
        # Of all that did not come to an end, one tells why.
        for index in [each for each in range(len(inputs)) if each not in done][:1]:
            record.failed(index, error)
        raise
    if len(done) < len(inputs):
        message = f'Only {len(done)} of {len(inputs)} calls of "{name}" ran on the engine {kind}.'
        remedy = "Report this error, with the options of the function."
        raise reported(Failure, "function-failed", name, f"{message}\n{remedy}")


def _settle(name: str, outcome: Mapping[str, Any], place: str, ran_in: RanIn) -> _Settled:
    if "reply" in outcome:
        reply = outcome["reply"]
        if "error" in reply:
            return _Settled(None, revive(reply["error"], place, ran_in))
        return _Settled(reply.get("result"), None)
    status, reason = outcome["status"], outcome.get("reason")
    # run_in_image also works for programs that do not call `main`.
    if name == WHOLE_PROGRAM and status == 0 and not reason:
        return _Settled(None, None)
    subject = "The program" if name == WHOLE_PROGRAM else f'"{name}"'
    if reason:
        text = f"{subject} failed in {place}: {reason['problem']}\n{reason['remedy']}"
    else:
        text = f"{subject} ended with status {status} in {place} before it returned a result.\n{_remedy(status, ran_in)}"
    return _Settled(None, reported(Failure, "function-failed", name, text))


def _remedy(status: int, ran_in: RanIn) -> str:
    if status == 137 and ran_in.kind == "container" and ran_in.memory is not None:
        return (
            f"It was killed, most often because it used more than its `resources` memory of {ran_in.memory} bytes. "
            "Raise that, or give it less to do."
        )
    if status == 137:
        return "It was killed, most often because the machine ran out of memory. Lower `parallelism`, or give it less to do."
    if status == 0:
        return "The program must call main after it has defined its functions."
    return "Look at what it printed above."


def _find(function: Union[str, Callable[..., Any]]) -> _ImageFunction:
    found = _functions.get(function) if isinstance(function, str) else getattr(function, "_known", None)
    if isinstance(found, _ImageFunction):
        return found
    name = function if isinstance(function, str) else getattr(function, "__name__", str(function))
    remedy = "Define it with in_image at the top of a module, and pass the returned function or its name."
    raise unknown_function(name, _functions, remedy)


def _to_stderr(data: bytes) -> None:
    sys.stderr.flush()
    sys.stderr.buffer.write(data)
    sys.stderr.buffer.flush()
