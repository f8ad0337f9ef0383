"""Output of calls in a worker."""

import io
import os
import threading
from typing import Any, Callable, List, TextIO

from slipway import _running
from slipway._printable import printable
from slipway._running import Running

# Bytes of a line that are held back until its end comes.
_LONGEST_LINE = 64 * 1024


class CallOutput(io.RawIOBase):
    """Standard output or error of the call that prints, line by line. Outside of calls, standard error of the worker.

    Args:
        stream: 0 or 1.
        send: gets what a call has printed.
    """

    def __init__(self, stream: int, send: Callable[[Running, bytes], None], logs: bool) -> None:
        self._stream = stream
        self._send = send
        self._logs = logs
        self.lock = threading.RLock()

    def writable(self) -> bool:
        return True

    def fileno(self) -> int:
        return 2

    def write(self, data: Any) -> int:
        piece = bytes(data)
        call = _running.current()
        with self.lock:
            call.has_printed = True
            call.unsent[self._stream] += piece
            if piece.endswith(b"\n") or len(call.unsent[self._stream]) > _LONGEST_LINE:
                self.send(call)
        return len(piece)

    def flush(self) -> None:
        if not self.closed:
            self.send(_running.current())

    def send(self, call: Running, is_end: bool = False) -> None:
        """Sends what the call has printed, and writes whole lines to the log."""
        with self.lock:
            piece, call.unsent[self._stream] = call.unsent[self._stream], b""
            if call is _running.PROGRAM:
                write_all(2, piece)
                return
            if self._logs:
                text = call.unlogged[self._stream] + piece
                end = len(text) if is_end or len(text) > _LONGEST_LINE else text.rfind(b"\n") + 1
                call.unlogged[self._stream] = text[end:]
                write_all(2, _labelled(call, text[:end]))
            if piece:
                self._send(call, piece)


def text_of(output: CallOutput) -> TextIO:
    """Replaces `sys.stdout` or `sys.stderr`."""
    return io.TextIOWrapper(output, "utf-8", "backslashreplace", write_through=True)  # type: ignore[type-var]


def _labelled(call: Running, text: bytes) -> bytes:
    prefix = f"[{printable(call.name)} {call.id}] ".encode()
    lines: List[bytes] = text[:-1].split(b"\n") if text.endswith(b"\n") else text.split(b"\n")
    return b"".join(prefix + line + b"\n" for line in lines) if text else b""


def write_all(target: int, data: bytes) -> None:
    """Writes to a file descriptor. What nobody reads is lost."""
    try:
        while data:
            data = data[os.write(target, data) :]
    except OSError:
        pass
