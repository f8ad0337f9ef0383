"""A worker: serves calls until it is told to end, by docs/worker-protocol.md."""

import inspect
import json
import os
import signal
import sys
import threading
import time
from collections import deque
from contextlib import contextmanager
from typing import Any, Callable, Deque, Iterator, List, NamedTuple, NoReturn, Optional, Sequence, Set, Tuple

from slipway import _registry, _running
from slipway._errors import Failure, describe, reported
from slipway._file_place import FilePlace, end_scratch
from slipway._files import use_place
from slipway._frames import Body, Channel, Header
from slipway._line import ALONE, Line
from slipway._output import CallOutput, text_of, write_all
from slipway._printable import printable_lines
from slipway._registry import WHOLE_PROGRAM, ImageFunction
from slipway._running import Running
from slipway._values import copied, decode_arguments, encode

VERSION = 1


class _Call(NamedTuple):
    id: int
    function: str
    bodies: List[bytes]


class _Unread(NamedTuple):
    """In place of an item of a batch that cannot be read."""

    error: Exception


class Worker(Line):
    """Removes its variables, so that child processes are no workers, and keeps the user's output out of the channel."""

    def __init__(self, channel: str) -> None:
        super().__init__(channel)
        self._files = os.environ.pop("SLIPWAY_WORKER_FILES", None)
        self._place: Optional[FilePlace] = None
        self._outputs = [CallOutput(stream, self._print, self._is_pod) for stream in (0, 1)]
        sys.stdout, sys.stderr = (text_of(each) for each in self._outputs)
        # `_state` guards what follows. Whoever also holds `_replying` took that first.
        self._waiting: Deque[_Call] = deque()
        self._on_change: Callable[[], Any] = lambda: None
        # Frames that the helper may not have, and whether each is a reply.
        self._kept: Deque[Tuple[str, Sequence[Body], bool]] = deque()
        # Replies that it has.
        self._acknowledged = 0
        # The last call that arrived.
        self._received = 0
        # Held while a reply goes out, so that it and `hello` are in order.
        self._replying = threading.Lock()
        # PID 1 of a container ignores signals that it has no handler for.
        if threading.current_thread() is threading.main_thread():
            signal.signal(signal.SIGTERM, lambda number, _: self._exit(128 + number))
        os.register_at_fork(after_in_child=self._forked)

    def _forked(self) -> None:
        """A child process is no worker. What it prints goes to standard error."""
        for call in [*_running.running.values(), _running.PROGRAM]:
            call.scratch, call.unsent = None, [b"", b""]
        for output in self._outputs:
            # Another thread may have held it.
            output.lock = threading.RLock()
        _running.running.clear()
        self._channel = None
        self._say = lambda *_: os._exit(0)  # type: ignore[method-assign]

    def place(self) -> FilePlace:
        with self._state:
            if self._place is None:
                # It loads a client for HTTP.
                from slipway._pod_files import place_of_worker

                self._place = place_of_worker(self._files)
            return self._place

    def serve(self, program: Callable[[], Any]) -> NoReturn:
        """Runs calls until the helper sends `end`, or is gone.

        Args:
            program: what `main()` calls.
        """
        self._program = ImageFunction(WHOLE_PROGRAM, program, {})
        self._start()
        while self._serve_next():
            pass
        _registry.end_states()
        with self._state:
            # The last replies need a connection.
            self._state.wait_for(lambda: self._channel is not None or not self._kept)
        self._exit(0)

    def _serve_next(self) -> bool:
        call = self._take(None)
        if call is None:
            return False
        known = _registry.functions.get(call.function)
        if known is not None and known.options.get("batch"):
            self._run_batch(call, known)
        elif known is not None and known.concurrency > 1:
            self._run_at_once(call, known)
        else:
            self._run(call)
        return True

    def _take(self, function: Optional[str], seconds: Optional[float] = None) -> Optional[_Call]:
        """The next call, once it is there. None: there will be none, or it is of another function, or time is over."""
        end = 0.0 if seconds is None else time.monotonic() + seconds
        with self._state:
            while not self._waiting and not self._is_ending:
                left = None if seconds is None else end - time.monotonic()
                if left is not None and left <= 0:
                    return None
                self._state.wait(left)
            if not self._waiting or function not in (None, self._waiting[0].function):
                return None
            return self._waiting.popleft()

    def _run(self, call: _Call) -> None:
        with self._answering([call]) as results:
            known = self._find(call.function)
            results.append(_registry.call_here(known, decode_arguments(call.bodies)))

    def _run_batch(self, first: _Call, known: ImageFunction) -> None:
        calls = [first]
        options = known.options["batch"]
        end = time.monotonic() + options["wait"]
        while len(calls) < options["size"]:
            call = self._take(known.name, max(0.0, end - time.monotonic()))
            if call is None:
                break
            calls.append(call)
        self._say(f'"type":"started","ids":{json.dumps([each.id for each in calls])}')
        with self._answering(calls) as results:
            items = [_read(each) for each in calls]
            readable = [item for item in items if not isinstance(item, _Unread)]
            done = iter(_registry.call_batch_here(known, readable) if readable else [])
            results[:] = [item if isinstance(item, _Unread) else next(done) for item in items]

    def _run_at_once(self, first: _Call, known: ImageFunction) -> None:
        """Runs calls of one function at once, until one of another function is next."""
        _running.hand_to_threads()
        is_set_up = False
        with self._answering([first]):
            # Not in the event loop, because `setup` may be asynchronous.
            _registry.state_of(known)
            is_set_up = True
        if not is_set_up:
            return
        if inspect.iscoroutinefunction(known.function):
            _registry.event_loop().run_until_complete(self._run_tasks(first, known))
        else:
            self._run_threads(first, known)

    def _run_threads(self, first: _Call, known: ImageFunction) -> None:
        from concurrent.futures import ThreadPoolExecutor

        free = threading.Semaphore(known.concurrency)

        def work(call: _Call) -> None:
            self._run(call)
            free.release()

        with ThreadPoolExecutor(known.concurrency, "slipway-call") as pool:
            call: Optional[_Call] = first
            while call is not None:
                free.acquire()
                pool.submit(work, call)
                free.acquire()
                call = self._take(known.name)
                free.release()

    async def _run_tasks(self, first: _Call, known: ImageFunction) -> None:
        import asyncio

        loop = asyncio.get_running_loop()
        changed = asyncio.Event()
        tasks: Set["asyncio.Task[None]"] = set()
        with self._state:
            self._on_change = lambda: loop.call_soon_threadsafe(changed.set)

        def ended(task: "asyncio.Task[None]") -> None:
            tasks.discard(task)
            changed.set()

        call: Optional[_Call] = first
        while True:
            if call is not None:
                task = loop.create_task(self._run_task(call, known))
                tasks.add(task)
                task.add_done_callback(ended)
            changed.clear()
            has_room = len(tasks) < known.concurrency
            call = self._take(known.name, 0) if has_room else None
            if call is None:
                with self._state:
                    is_over = self._is_ending or bool(self._waiting and self._waiting[0].function != known.name)
                if is_over and not tasks:
                    break
                await changed.wait()
        with self._state:
            self._on_change = lambda: None

    async def _run_task(self, call: _Call, known: ImageFunction) -> None:
        with self._answering([call]) as results:
            results.append(await known.function(*_registry.state_of(known), *decode_arguments(call.bodies)))

    def _find(self, name: str) -> ImageFunction:
        known = self._program if name == WHOLE_PROGRAM else _registry.functions.get(name)
        if known is None:
            remedy = "Define it with in_image before main is called. If the image was built from other sources, build it again."
            raise _registry.unknown_function(name, remedy)
        return known

    @contextmanager
    def _answering(self, calls: List[_Call]) -> Iterator[List[Any]]:
        """Calls that run in its body, which appends their results. Replies to them at its end."""
        call = Running(calls[0].id, calls[0].function)
        _running.begin(call)
        results: List[Any] = []
        replies: List[Tuple[str, Sequence[Body]]] = []
        try:
            yield results
            replies = [_error(value.error) if isinstance(value, _Unread) else _result(each.function, value) for each, value in zip(calls, results)]
        except SystemExit as end:
            # The function ended the process. The helper sees only its status.
            self._flush(call)
            status = _status(end)
            self._flush(call)
            self._exit(status)
        except BaseException as error:
            replies = [_error(error)] * len(calls)
        self._flush(call)
        _running.end(call)
        end_scratch(call)
        for each, (kind, bodies) in zip(calls, replies):
            self._say(f'"type":"{kind}","id":{each.id}', bodies, True)

    def _say(self, header: str, bodies: Sequence[Body] = (), is_reply: bool = False) -> None:
        """Sends what must not be lost."""
        with self._replying:
            if self._is_pod:
                with self._state:
                    # The function may change what an array refers to.
                    self._kept.append((header, copied(bodies), is_reply))
            self._send(header, bodies)

    def _send(self, header: str, bodies: Sequence[Body] = ()) -> None:
        channel = self._channel
        try:
            if channel is not None:
                channel.send(header, bodies)
        except OSError:
            if not self._is_pod:
                self._exit(ALONE)
            self._lose(channel)

    def _print(self, call: Running, data: bytes) -> None:
        self._send(f'"type":"output","id":{call.id}', [data])

    def _flush(self, call: Running) -> None:
        if call.has_printed:
            for each in self._outputs:
                each.send(call, is_end=True)

    def _attach(self, channel: Channel) -> None:
        with self._state:
            old, self._channel = self._channel, None
        # A reply that does not get out must not hold up the new connection.
        if old is not None and old is not channel:
            old.close()
        with self._replying:
            with self._state:
                kept = list(self._kept)
                numbers = {"protocol": VERSION, "received": self._received, "replies": self._acknowledged}
                self._channel = channel
                self._state.notify_all()
            hello = {"type": "hello", **numbers, "functions": list(_registry.functions)}
            self._send(json.dumps(hello)[1:-1])
            for header, bodies, _ in kept:
                self._send(header, bodies)

    def _handle(self, channel: Channel, header: Header, bodies: List[bytes]) -> None:
        kind = header["type"]
        if kind == "attach":
            self._attach(channel)
            return
        revoked: Optional[List[int]] = None
        with self._state:
            # The helper has another connection by now, on which it sends this again.
            if self._channel is not channel:
                return
            if kind == "call" and not self._is_ending:
                self._received = _number(header, "id")
                self._waiting.append(_Call(self._received, str(header.get("function")), bodies))
            elif kind == "revoke":
                wanted = {each for each in header.get("ids") or () if type(each) is int}
                revoked = [each.id for each in self._waiting if each.id in wanted]
                self._waiting = deque(each for each in self._waiting if each.id not in wanted)
            elif kind == "ack":
                while self._acknowledged < _number(header, "replies") and self._kept:
                    self._acknowledged += self._kept.popleft()[2]
            elif kind == "end":
                self._is_ending = True
                self._waiting.clear()
            self._state.notify_all()
            self._on_change()
        if revoked is not None:
            self._say(f'"type":"revoked","ids":{json.dumps(revoked)}')

    def _exit(self, status: int) -> NoReturn:
        # Without the lock, which may be held for a while.
        write_all(2, b"".join(_running.PROGRAM.unsent))
        for call in [*_running.running.values(), _running.PROGRAM]:
            end_scratch(call)
        # Exits even if a function has left threads running.
        os._exit(status)


def _read(call: _Call) -> Any:
    try:
        return decode_arguments(call.bodies)[0]
    except Exception as error:
        return _Unread(error)


def _number(header: Header, name: str) -> int:
    value = header.get(name)
    if type(value) is not int:
        raise reported(Failure, "function-failed", "frames", f"The helper sent a frame without {name}.\nBuild the image again.")
    return value


def _result(function: str, value: Any) -> Tuple[str, Sequence[Body]]:
    if value is None:
        return "result", ()
    subject = "the program" if function == WHOLE_PROGRAM else f'"{function}"'
    try:
        return "result", encode(value, f"result of {subject}", is_last=True)
    except Exception as error:
        return _error(error)


def _error(error: BaseException) -> Tuple[str, Sequence[Body]]:
    return "error", [json.dumps(describe(error)).encode()]


def _status(end: SystemExit) -> int:
    if end.code is None:
        return 0
    if isinstance(end.code, int):
        return end.code & 0xFF
    print(printable_lines(str(end.code)), file=sys.stderr, flush=True)
    return 1


_requested = os.environ.pop("SLIPWAY_WORKER", None)
_channel_of_process = os.environ.pop("SLIPWAY_WORKER_CHANNEL", "stdio")

# The worker that this process is, or None when it runs the program itself.
SERVED: Optional[Worker] = None if _requested is None else Worker(_channel_of_process)
if SERVED is not None:
    use_place(SERVED.place)
