"""The calls that run in this process."""

import threading
from contextvars import ContextVar, copy_context
from typing import Dict, List, Optional


class Running:
    """A call, or a batch of calls, that runs in this process. Or the program itself.

    Attributes:
        id: of the call; of a batch, of its first one.
        name: of the function.
        scratch: its folder for large files, once it has asked for one.
    """

    def __init__(self, id: int, name: str) -> None:
        self.id = id
        self.name = name
        self.scratch: Optional[str] = None
        self.has_printed = False
        # Its standard output and error that were not sent or logged yet.
        self.unsent: List[bytes] = [b"", b""]
        self.unlogged: List[bytes] = [b"", b""]


PROGRAM = Running(0, "")
running: Dict[int, Running] = {}
_current: "ContextVar[Running]" = ContextVar("slipway_call", default=PROGRAM)


def begin(call: Running) -> None:
    running[call.id] = call
    _current.set(call)


def end(call: Running) -> None:
    running.pop(call.id, None)


def current() -> Running:
    """The call that this code belongs to. A thread that no call started belongs to the only call that runs."""
    call = _current.get()
    if call.id in running:
        return call
    calls = list(running.values())
    return calls[0] if len(calls) == 1 else PROGRAM


def hand_to_threads() -> None:
    """Lets threads that a call starts belong to it, where several calls run at once."""
    start = threading.Thread.start
    if start.__name__ == "start_in_context":
        return

    def start_in_context(self: threading.Thread) -> None:
        context, run = copy_context(), self.run
        self.run = lambda: context.run(run)  # type: ignore[method-assign]
        start(self)

    threading.Thread.start = start_in_context  # type: ignore[method-assign]
