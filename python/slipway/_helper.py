"""The connection to the helper that makes calls. Keep src/functions/program-protocol.ts the same."""

import atexit
import errno
import json
import os
import socket
import subprocess
import sys
import threading
from concurrent.futures import Future
from contextlib import suppress
from types import TracebackType
from typing import Any, Dict, Iterator, List, Mapping, Optional, Sequence, Tuple, Type

from slipway._batch import Answer, Batch
from slipway._errors import Failure, UserError, reported, revive
from slipway._file_place import FilePlace, Form
from slipway._frames import Body, Channel, Frame, frames
from slipway._printable import printable_lines

# Set by the launch script: the helper program that talks to engines.
HELPER = "SLIPWAY_ENGINE_HELPER"
# Set by the launch script if it has already started the helper: the socket where the helper waits for the program.
_SOCKET = "SLIPWAY_ENGINE_SOCKET"
# Seconds that a helper which closed its answers gets to end.
_GRACE = 5


class Helper:
    """A connection to a helper, for calls of a program with this environment.

    Attributes:
        ready: what the helper said about the engine: `Ready` in TypeScript.
    """

    def __init__(self, env: Dict[str, str]) -> None:
        self.env = env
        self.process = os.getpid()
        self.is_over = False
        self._program = env[HELPER]
        self._child: Optional["subprocess.Popen[bytes]"] = None
        self._lock = threading.Lock()
        self._batches: Dict[int, Batch] = {}
        self._last = 0
        self._may_keep = False
        # Questions by the answers that they wait for.
        self._asked: Dict[str, "Future[None]"] = {}
        self._channel, answers, self.ready = self._connected()
        self.place = self._place() if "files" in self.ready else None
        if self.ready.get("remark"):
            print(printable_lines(self.ready["remark"]), file=sys.stderr)
        threading.Thread(target=self._read, args=[answers], daemon=True, name="slipway-helper").start()

    def _connected(self) -> Tuple[Channel, Iterator[Frame], Dict[str, Any]]:
        for connect in (self._waiting, self._started):
            channel = connect()
            if channel is None:
                continue
            answers = frames(channel.read)
            with suppress(OSError):
                channel.send('"type":"program","version":1', [json.dumps(self._description()).encode()])
            first = next(answers, None)
            kind = None if first is None else first.header["type"]
            if first is not None and kind == "failed":
                raise self._revived(first)
            if first is not None and kind == "ready":
                return channel, answers, json.loads(first.bodies[0])
        raise self._ended()

    def _waiting(self) -> Optional[Channel]:
        path = self.env.get(_SOCKET)
        if not path:
            return None
        connection = socket.socket(socket.AF_UNIX)
        try:
            connection.connect(path)
        except OSError:
            connection.close()
            return None
        return Channel(connection)

    def _started(self) -> Channel:
        # In its own session, so that it survives the terminal's signals and this process, and can end the calls.
        self._child = child = _start([self._program, "serve"])
        assert child.stdin and child.stdout
        return Channel(child.stdout.fileno(), child.stdin.fileno())

    def _description(self) -> Dict[str, Any]:
        columns = None
        with suppress(OSError):
            columns = os.get_terminal_size(2).columns
        return {
            "env": self.env,
            "command": [sys.executable, *_INTERPRETER_ARGUMENTS],
            "directory": os.getcwd(),
            "process": self.process,
            "arguments": len(sys.argv) - 1,
            "path": sys.argv[0],
            "columns": columns,
        }

    def send(self, header: str, bodies: Sequence[Body] = ()) -> None:
        """Sends a frame. A helper that is gone tells by the end of its answers."""
        with suppress(OSError):
            self._channel.send(header, bodies)

    def start(self, start: Mapping[str, Any], holds: bool) -> Batch:
        """Starts calls: `CallsStart` in TypeScript."""
        self._may_keep = self._may_keep or "keep" in start
        with self._lock:
            if self.is_over:
                raise self._ended()
            self._last += 1
            batch = self._batches[self._last] = Batch(self.send, self._last, start, holds)
        self.send(f'"type":"start","batch":{batch.number}', [json.dumps(start).encode()])
        return batch

    def stop(self) -> None:
        for batch in self._open():
            batch.tell_to_end()

    def settle(self) -> None:
        """Waits until kept results are stored."""
        if self._may_keep and not self.is_over:
            with suppress(Failure):
                self._ask("settled", '"type":"settle"')

    def _place(self) -> FilePlace:
        return FilePlace(self.ready["files"], self._fetch, stays_away=self.ready["engine"]["kind"] == "kubernetes")

    def _fetch(self, content: Form, path: str) -> None:
        # A helper of an environment that the program had before may have it.
        for place in [each.place for each in list(_helpers)]:
            if place is not None and place is not self.place and place.has(content):
                return place.save({**content, "kind": "file"}, path)
        digest = content["digest"]
        self._ask(f"fetched {digest}", f'"type":"fetch","digest":"{digest}","size":{content["size"]}')

    def _ask(self, key: str, question: str) -> None:
        with self._lock:
            is_asked = key in self._asked
            answer = self._asked.setdefault(key, Future())
        if not is_asked:
            self.send(question)
        if self.is_over:
            raise self._ended()
        answer.result()

    def _answered(self, key: str, error: Optional[BaseException]) -> None:
        with self._lock:
            answer = self._asked.pop(key, None)
        if answer is not None and error is None:
            answer.set_result(None)
        elif answer is not None:
            answer.set_exception(error)

    def exit(self, status: int) -> None:
        if self.process == os.getpid():
            self.send(f'"type":"exit","status":{status}')
            self._channel.close()
            if self._child and self._child.stdin:
                self._child.stdin.close()
                # It ends by itself, some time after this process.
                self._child.returncode = 0

    def _read(self, answers: Iterator[Frame]) -> None:
        error: Optional[BaseException] = None
        try:
            for frame in answers:
                error = self._take(frame)
                del frame
                if error is not None:
                    break
        except Failure as damaged:
            error = damaged
        with self._lock:
            self.is_over = True
        error = error or self._ended()
        for batch in self._open():
            batch.end(error)
        for key in list(self._asked):
            self._answered(key, error)

    def _take(self, frame: Frame) -> Optional[BaseException]:
        """Acts on a frame. Returns the error that ends the connection."""
        header, bodies = frame
        kind = header["type"]
        batch = self._batches.get(header.get("batch", 0))
        if kind in ("result", "error") and batch:
            batch.add(Answer(header["index"], kind == "error", bodies))
        elif kind == "output":
            _print(b"".join(bodies))
        elif kind in ("done", "failed") and batch:
            with self._lock:
                del self._batches[batch.number]
            batch.end(self._revived(frame) if kind == "failed" else None)
        elif kind == "settled":
            self._answered("settled", None)
        elif kind == "fetched":
            self._answered(f"fetched {header['digest']}", self._revived(frame) if bodies else None)
        elif kind == "failed" and "batch" not in header:
            return self._revived(frame)
        return None

    def _open(self) -> List[Batch]:
        with self._lock:
            return list(self._batches.values())

    def _revived(self, frame: Frame) -> Exception:
        return revive(json.loads(frame.bodies[0]), self._program)

    def _ended(self) -> Failure:
        how = ""
        with suppress(subprocess.TimeoutExpired):
            how = f" with status {self._child.wait(_GRACE)}" if self._child else ""
        text = f"{self._program} ended{how} before it was done.\nLook at what it printed above."
        return reported(Failure, "program-failed", self._program, text)


_helpers: List[Helper] = []
_lock = threading.RLock()
_is_stopped = False
_status = 0


def helper() -> Helper:
    """The helper of this program. If the program has changed its environment, another one, which sees the change."""
    env = dict(os.environ)
    if not env.get(HELPER):
        raise started_by_hand()
    with _lock:
        if _is_stopped:
            raise KeyboardInterrupt
        for each in _helpers:
            if each.env == env and not each.is_over and each.process == os.getpid():
                return each
        made = Helper(env)
        if not _helpers:
            _watch()
        _helpers.append(made)
        return made


def started_by_hand() -> UserError:
    text = f"{HELPER} is not set: this program was not started by its pipeline, which provides the helper for engines.\n"
    return reported(
        UserError, "started-by-hand", HELPER, text + "Start it with bazel run of the pipeline's own target, or set SLIPWAY_ENGINE=process."
    )


def stop() -> None:
    """Ends all calls, and makes no new ones."""
    global _is_stopped
    _is_stopped = True
    for each in list(_helpers):
        each.stop()


def settle() -> None:
    """Waits until kept results are stored. To be called before the program ends."""
    for each in list(_helpers):
        each.settle()


def ends_with(status: int) -> None:
    global _status
    _status = status


def _watch() -> None:
    """Takes note of how the program ends."""
    hook = sys.excepthook

    def failed(kind: Type[BaseException], error: BaseException, traceback: Optional[TracebackType]) -> None:
        ends_with(130 if issubclass(kind, KeyboardInterrupt) else 1)
        hook(kind, error, traceback)

    sys.excepthook = failed
    atexit.register(_exit)


def _exit() -> None:
    for each in list(_helpers):
        each.exit(_status)


def place_of_program() -> FilePlace:
    """The content of files, where the helper and the calls find it.

    Raises:
        UserError: this user can have no folder for it.
    """
    place = helper().place
    if place is None:
        text = "There is no folder for the content of files.\nMake it possible to write to ~/.cache/slipway, or set XDG_CACHE_HOME."
        raise reported(UserError, "file-unwritable", "files", text)
    return place


def _start(command: Sequence[str]) -> "subprocess.Popen[bytes]":
    try:
        return subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, start_new_session=True)
    except OSError as error:
        if error.errno in (errno.EMFILE, errno.ENFILE, errno.EAGAIN):
            remedy = "Run fewer at once, or raise the limits of open files and processes (`ulimit -n`, `ulimit -u`)."
        else:
            remedy = "Build the pipeline's target again."
        message = f"{command[0]} cannot be started: {error.strerror}.\n{remedy}"
        raise reported(Failure, "program-failed", command[0], message) from error


def _print(data: bytes) -> None:
    sys.stderr.flush()
    buffer = getattr(sys.stderr, "buffer", None)
    if buffer is None:
        sys.stderr.write(data.decode(errors="replace"))
    else:
        buffer.write(data)
        buffer.flush()


def _interpreter_arguments() -> List[str]:
    """The interpreter's command line, up to the program's own arguments."""
    given = len(sys.argv) - 1
    original: Sequence[str] = getattr(sys, "orig_argv", [])
    if original:
        return list(original[1 : len(original) - given])
    flags: List[str] = subprocess._args_from_interpreter_flags()  # type: ignore[attr-defined]
    return [*flags, sys.argv[0]]


# Read at import, before the program can change sys.argv.
_INTERPRETER_ARGUMENTS = _interpreter_arguments()
