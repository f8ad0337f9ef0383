"""Calls of functions: by the helper, or in this process."""

import itertools
import json
import threading
from contextlib import contextmanager
from typing import Any, Dict, Iterable, Iterator, List, NamedTuple, Optional, Sequence, Tuple

from slipway import _registry, _running
from slipway._batch import Answer, Batch
from slipway._engine import runs_here
from slipway._errors import Failure, UserError, reported, revive
from slipway._file_place import end_scratch
from slipway._frames import Body
from slipway._helper import helper
from slipway._images import container_image, image_variables
from slipway._registry import ImageFunction
from slipway._running import Running
from slipway._steps import Step
from slipway._values import copied, decode, decode_arguments, encode, encode_item
from slipway._volumes import absolute_volumes

# Options of `CallsStart` in src/functions/program-protocol.ts, and those that have other names there.
_SENT = ("network", "resources", "parallelism", "retries", "time_limit", "fresh", "max_calls", "concurrency", "batch", "keep_warm")
_NAMES = {"time_limit": "timeLimit", "max_calls": "maxCalls", "keep_warm": "keepWarm"}


class Settled(NamedTuple):
    value: Any
    error: Optional[Exception] = None


def _start(step: Step, options: Dict[str, Any], arguments: Sequence[str], items: Optional[int], is_map: bool, holds: bool) -> Batch:
    images = image_variables()
    start: Dict[str, Any] = {
        "id": step.id,
        "name": step.name,
        "after": step.after,
        "items": items,
        "isMap": is_map,
        "programArguments": list(arguments),
        "env": {**images, **options.get("env", {})},
        "network": "none",
        "resources": {},
    }
    start.update((_NAMES.get(name, name), value) for name, value in options.items() if name in _SENT)
    if images:
        start["image"] = container_image(options.get("tag", "default"))
    if "volumes" in options:
        start["volumes"] = absolute_volumes(options["volumes"])
    if options.get("keep"):
        start["keep"] = {"version": options["version"]} if "version" in options else {}
    return helper().start(start, holds)


def _settled(answer: Answer) -> Settled:
    try:
        if answer.is_error:
            return Settled(None, revive(json.loads(answer.bodies[0]), "another process"))
        return Settled(decode(answer.bodies))
    except (UserError, Failure) as error:
        return Settled(None, error)


def _left_out(name: str) -> Failure:
    text = f'Not all calls of "{name}" ran.\nReport this error, with the options of the function.'
    return reported(Failure, "function-failed", name, text)


@contextmanager
def _ended(batch: Batch) -> Iterator[Batch]:
    """Ends the calls of a batch if its results are not needed any more."""
    try:
        yield batch
    except BaseException:
        batch.cancel()
        raise


def call(step: Step, known: Optional[ImageFunction], options: Dict[str, Any], program_arguments: Sequence[str], arguments: List[Any]) -> Settled:
    bodies = encode(arguments, f'argument list of "{step.name}"')
    if known is not None and runs_here():
        return _here(known, bodies)
    with _ended(_start(step, options, program_arguments, 1, False, False)) as batch:
        batch.send(0, bodies)
        batch.close()
        answer = batch.take()
    if answer is None:
        raise _left_out(step.name)
    return _settled(answer)


def map_items(
    step: Step, known: ImageFunction, options: Dict[str, Any], program_arguments: Sequence[str], items: Iterable[Any]
) -> List[Settled]:
    if runs_here():
        return list(_stream_here(known, items))
    results: Dict[int, Settled] = {}
    count = len(items) if isinstance(items, (list, tuple, range)) else None
    if count == 0:
        return []
    sent = 0
    with _ended(_start(step, options, program_arguments, count, True, False)) as batch:
        for sent, item in enumerate(items, 1):
            if not batch.send(sent - 1, encode_item(item, sent - 1, known.name)):
                break
        batch.close()
        for answer in iter(batch.take, None):
            results[answer.index] = _settled(answer)
    if len(results) < sent:
        raise _left_out(step.name)
    return [results[index] for index in range(sent)]


def stream_items(
    step: Step,
    known: ImageFunction,
    options: Dict[str, Any],
    program_arguments: Sequence[str],
    items: Iterable[Any],
    ordered: bool,
) -> Iterator[Tuple[int, Settled]]:
    """Yields numbers and outcomes of items. Asks for items only while somebody waits for their results."""
    if runs_here():
        yield from enumerate(_stream_here(known, items))
        return
    batch = _start(step, options, program_arguments, None, True, True)
    feeder = _Feeder(batch, known.name, items)
    waiting: Dict[int, Settled] = {}
    taken = 0
    try:
        for answer in iter(batch.take, None):
            waiting[answer.index] = _settled(answer)
            while waiting:
                index = taken if ordered else answer.index
                if index not in waiting:
                    break
                taken += 1
                batch.free()
                yield index, waiting.pop(index)
        if feeder.error is not None:
            raise feeder.error
        if taken < feeder.sent:
            raise _left_out(step.name)
    finally:
        batch.cancel()


class _Feeder:
    """Sends the items of a stream from a thread of its own, since the next item may take its time."""

    def __init__(self, batch: Batch, name: str, items: Iterable[Any]) -> None:
        self._batch = batch
        self._name = name
        self._items = items
        self.sent = 0
        self.error: Optional[BaseException] = None
        threading.Thread(target=self._feed, daemon=True, name=f"slipway items of {name}").start()

    def _feed(self) -> None:
        try:
            for index, item in enumerate(self._items):
                if not self._batch.send(index, encode_item(item, index, self._name)):
                    return
                self.sent = index + 1
        except BaseException as error:
            self.error = error
        self._batch.close()


# Numbers of calls in this process.
_numbers = itertools.count(1)


def _here(known: ImageFunction, bodies: Sequence[Body]) -> Settled:
    """Calls a function in this process, with copies as from another one."""
    try:
        with _running_here(known.name) as is_outermost:
            result = _registry.call_here(known, decode_arguments(copied(bodies)), is_outermost)
            # Files stay when the scratch folder of the call goes.
            return Settled(decode(copied(encode(result, f'result of "{known.name}"', True))) if is_outermost else result)
    except Exception as error:
        return Settled(None, error)


@contextmanager
def _running_here(name: str) -> Iterator[bool]:
    """A call in this process. One inside of another call belongs to that."""
    if _running.current() is not _running.PROGRAM:
        yield False
        return
    own = Running(-next(_numbers), name)
    _running.begin(own)
    try:
        yield True
    finally:
        _running.end(own)
        end_scratch(own)


def _stream_here(known: ImageFunction, items: Iterable[Any]) -> Iterator[Settled]:
    encoded = (encode_item(item, index, known.name) for index, item in enumerate(items))
    size = known.options.get("batch", {}).get("size", 1)
    for first in encoded:
        if size == 1:
            yield _here(known, first)
        else:
            yield from _batch_here(known, [first, *itertools.islice(encoded, size - 1)])


def _batch_here(known: ImageFunction, batch: List[Sequence[Body]]) -> List[Settled]:
    try:
        with _running_here(known.name):
            items = [decode_arguments(copied(each))[0] for each in batch]
            return [Settled(value) for value in _registry.call_batch_here(known, items)]
    except Exception as error:
        return [Settled(None, error)] * len(batch)
