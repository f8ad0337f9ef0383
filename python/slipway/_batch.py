"""Calls of one function, as a program sees them. Keep src/functions/program-protocol.ts the same."""

import queue
import threading
from typing import Any, Callable, List, Mapping, NamedTuple, Optional, Sequence, Union

from slipway._frames import Body

# Seconds that calls get to end.
_GRACE = 150


class Answer(NamedTuple):
    index: int  # type: ignore[assignment]  # in place of the method of tuples
    is_error: bool
    bodies: List[bytes]


class Batch:
    """Calls of one function. So many items have no answer; with `holds`, no answer that `free` was called for."""

    def __init__(self, send: Callable[..., None], number: int, start: Mapping[str, Any], holds: bool) -> None:
        self._send = send
        self.number = number
        self._holds = holds
        self._window = _window(start)
        self._free = threading.Semaphore(self._window)
        self._answers: "queue.SimpleQueue[Union[Answer, BaseException, None]]" = queue.SimpleQueue()
        self._is_over = threading.Event()

    def send(self, index: int, bodies: Sequence[Body]) -> bool:
        """Sends an item, when there is room. False: nobody needs it any more."""
        self._free.acquire()
        if self._is_over.is_set():
            return False
        self._send(f'"type":"item","batch":{self.number},"index":{index}', bodies)
        return True

    def close(self) -> None:
        self._send(f'"type":"close","batch":{self.number}')

    def take(self) -> Optional[Answer]:
        """The next answer. None: there are no more.

        Raises:
            UserError: the engine does not work, and the user can fix it.
            Failure: the engine does not work.
        """
        answer = self._answers.get()
        if isinstance(answer, BaseException):
            raise answer
        return answer

    def free(self) -> None:
        self._free.release()

    def cancel(self) -> None:
        """Ends its calls, and waits until they have ended."""
        if not self._is_over.is_set():
            self.tell_to_end()
            self._is_over.wait(_GRACE)

    def tell_to_end(self) -> None:
        self._send(f'"type":"cancel","batch":{self.number}')

    def add(self, answer: Answer) -> None:
        self._answers.put(answer)
        if not self._holds:
            self._free.release()

    def end(self, error: Optional[BaseException] = None) -> None:
        self._is_over.set()
        self._answers.put(error)
        for _ in range(self._window):
            self._free.release()


def _window(start: Mapping[str, Any]) -> int:
    at_once = max(start.get("concurrency", 1), start.get("batch", {}).get("size", 1))
    return max(1000, 4 * int(start.get("parallelism", 50)) * int(at_once))
