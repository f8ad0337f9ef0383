"""The side of a call that runs the function."""

import asyncio
import inspect
import json
import os
import pathlib
import queue
import signal
import sys
import threading
from types import FrameType
from typing import Any, Callable, Iterable, Mapping, NoReturn, Optional

from slipway._errors import Failure, UserError, describe, reported
from slipway._files import MAXIMUM_JSON, decode_arguments, end_scratch, shorten
from slipway._json import encode
from slipway._protocol import (
    CALL, INDEX, INPUTS, LIMIT, MAXIMUM_RESULT_FILE, NONCE, RESULT_FILE, WHOLE_PROGRAM, result_line,
)


class _ServedCall:
    """The one call that this process was started to run.

    Sends the program's output to standard error, since standard output carries the result. Removes the variables, so that child processes of the
    function do not serve the call again.
    """

    def __init__(self, name: str) -> None:
        self.name = name
        self._nonce = os.environ.pop(NONCE, "")
        self._inputs = os.environ.pop(INPUTS, None)
        self._file = os.environ.pop(RESULT_FILE, None)
        self._limit = int(os.environ.pop(LIMIT, MAXIMUM_JSON))
        self._out = os.dup(1)
        os.dup2(2, 1)
        # PID 1 of a container ignores signals that it has no handler for.
        if threading.current_thread() is threading.main_thread():
            signal.signal(signal.SIGTERM, _end)

    def serve(self, functions: Mapping[str, Callable[..., Any]], program: Callable[[], Any]) -> NoReturn:
        """Reads the arguments, runs the function and writes the result. Then exits with status 0, or 1 if the function failed."""
        status = 1
        try:
            function = program if self.name == WHOLE_PROGRAM else functions.get(self.name)
            if function is None:
                raise unknown_function(
                    self.name,
                    functions,
                    "Define it with in_image before main is called. If the image was built from other sources, build it again.",
                )
            arguments = decode_arguments(self._input())
            result = function(*arguments)
            if inspect.iscoroutine(result):
                result = asyncio.run(result)
            subject = "the program" if self.name == WHOLE_PROGRAM else f'"{self.name}"'
            text = shorten(encode(result, f"result of {subject}", is_last=True), self._limit)
            reply, status = f'{{"result":{text}}}', 0
        except SystemExit as end:
            # The function ended the process. The caller sees only its status.
            _flush()
            end_scratch()
            os._exit(_status(end))
        except BaseException as error:
            reply = json.dumps({"error": describe(error)})
        end_scratch()
        self._reply(reply)
        # Exits even if the function has left threads running.
        os._exit(status)

    def _input(self) -> bytes:
        if self._inputs is None:
            return _request(self.name)
        files = sorted(path for path in pathlib.Path(self._inputs).iterdir() if not path.name.startswith("."))
        lines = b"".join(path.read_bytes() for path in files).split(b"\n")
        index = int(os.environ.get(INDEX, "0"))
        if index < len(lines) and lines[index]:
            return lines[index]
        raise _arguments_lost(self.name, f"There are no arguments for call {index} in {self._inputs}.")

    def _reply(self, reply: str) -> None:
        _flush()
        line = result_line(self._nonce, reply)
        if self._file is not None:
            is_short = len(line) <= MAXIMUM_RESULT_FILE
            # The log may lose a long one.
            logged = result_line(self._nonce, json.dumps({"logged": len(line)}))
            pathlib.Path(self._file).write_bytes(line if is_short else logged)
            if is_short:
                return
        with os.fdopen(self._out, "wb") as out:
            out.write(line)


def _arguments_lost(call: str, problem: str) -> Failure:
    return reported(Failure, "function-failed", call, f"{problem}\nCall it again.")


def unknown_function(name: str, functions: Iterable[str], remedy: str) -> UserError:
    """The error for a function that a program does not define."""
    known = ", ".join(functions) or "none"
    problem = f'"{name}" is not a function of this program, which has {known}.'
    return reported(UserError, "function-failed", name, f"{problem}\n{remedy}")


def _request(call: str) -> bytes:
    """Reads the first line of standard input. The caller keeps it open until it has the result; when it closes early, this process exits."""
    lines: "queue.Queue[Optional[bytes]]" = queue.Queue()

    def read() -> None:
        data = b""
        while b"\n" not in data:
            chunk = os.read(0, 1 << 20)
            if not chunk:
                lines.put(None)
                return
            data += chunk
        lines.put(data.partition(b"\n")[0])
        while os.read(0, 1 << 16):
            pass
        os._exit(129)

    threading.Thread(target=read, daemon=True, name="slipway-caller").start()
    line = lines.get()
    if line is None:
        raise _arguments_lost(call, "The arguments of the call are cut short.")
    return line


def _end(number: int, _frame: Optional[FrameType]) -> None:
    end_scratch()
    os._exit(128 + number)


def _status(end: SystemExit) -> int:
    if end.code is None:
        return 0
    if isinstance(end.code, int):
        return end.code & 0xFF
    print(end.code, file=sys.stderr, flush=True)
    return 1


def _flush() -> None:
    sys.stdout.flush()
    sys.stderr.flush()


_requested = os.environ.pop(CALL, None)

# The call that this process serves, or None when it runs the program itself.
SERVED: Optional[_ServedCall] = None if _requested is None else _ServedCall(_requested)
