"""The protocol between a program and a process that serves one of its functions. Keep src/core/protocol.ts the same."""

import json
from typing import Any, Callable, Dict, List, Optional

CALL = "SLIPWAY_CALL"
NONCE = "SLIPWAY_CALL_NONCE"
INPUTS = "SLIPWAY_CALL_INPUTS"
INDEX = "JOB_COMPLETION_INDEX"
RESULT_FILE = "SLIPWAY_CALL_RESULT"
MAXIMUM_RESULT_FILE = 4096
LIMIT = "SLIPWAY_CALL_LIMIT"
# Stands for the whole program instead of one of its functions.
WHOLE_PROGRAM = "main()"


def result_line(nonce: str, reply: str) -> bytes:
    return f"\x1eslipway {nonce} {reply}\n".encode()


class ResultReader:
    """Picks the result line out of a process's standard output. Everything else goes to `other` immediately."""

    def __init__(self, nonce: str, other: Callable[[bytes], None]) -> None:
        self._mark = f"\x1eslipway {nonce} ".encode()
        self._other = other
        self._held = b""
        self._line: Optional[List[bytes]] = None
        self._reply: Optional[bytes] = None

    def write(self, chunk: bytes) -> None:
        if self._reply is not None:
            self._pass(chunk)
        elif self._line is not None:
            self._collect(self._line, chunk)
        else:
            self._search(self._held + chunk)

    def end(self) -> Optional[Dict[str, Any]]:
        """Returns the reply after the process has ended, or None if it gave none."""
        self._pass(self._held)
        return None if self._reply is None else _parsed(self._reply)

    def _search(self, data: bytes) -> None:
        start = data.find(self._mark)
        if start < 0:
            keep = self._beginning(data)
            self._pass(data[: len(data) - keep])
            self._held = data[len(data) - keep :]
            return
        self._pass(data[:start])
        self._held = b""
        self._line = []
        self._collect(self._line, data[start + len(self._mark) :])

    def _beginning(self, data: bytes) -> int:
        """The number of bytes at the end that may be the beginning of the mark."""
        for length in range(min(len(self._mark) - 1, len(data)), 0, -1):
            if data.endswith(self._mark[:length]):
                return length
        return 0

    def _collect(self, line: List[bytes], chunk: bytes) -> None:
        part, end, rest = chunk.partition(b"\n")
        line.append(part)
        if end:
            self._reply = b"".join(line)
            self._pass(rest)

    def _pass(self, data: bytes) -> None:
        if data:
            self._other(data)


def _parsed(text: bytes) -> Dict[str, Any]:
    """The answer of a process. A function can write what it likes there: what is no answer is its failure."""
    try:
        reply = json.loads(text)
    except (ValueError, RecursionError):
        reply = None
    if _is_reply(reply):
        return dict(reply)
    message = "The function's process sent an answer that is damaged, or nested too deep.\nReturn a flatter value. "
    message += "If the image was built by another version of Slipway, build it again."
    return {"error": {"name": "Failure", "message": message, "details": message}}


def _is_reply(value: Any) -> bool:
    if not isinstance(value, dict) or "error" not in value:
        return isinstance(value, dict)
    error = value["error"]
    if not isinstance(error, dict):
        return False
    needed = [error.get(name) for name in ("name", "message", "details")]
    further = [error[name] for name in ("code", "culprit") if name in error]
    return all(isinstance(text, str) for text in needed + further)
