"""The progress line of a map."""

import shutil
import threading
from typing import TextIO

from slipway._printable import printable

# Seconds between lines if the output is not a terminal.
_INTERVAL = 10.0


class MapProgress:
    """A progress line on a terminal, below the output of the functions. Elsewhere it prints a line every 10 s."""

    def __init__(self, name: str, count: int, output: TextIO, interval: float = _INTERVAL) -> None:
        self._name = printable(name)
        self._count = count
        self._output = output
        self._interval = interval
        self._is_terminal = output.isatty()
        self._done = 0
        self._failed = 0
        self._is_shown = False
        self._is_over = threading.Event()
        self._lock = threading.RLock()
        if not self._is_terminal:
            threading.Thread(target=self._tell, daemon=True).start()
        self._show()

    def settled(self, is_fine: bool) -> None:
        """Counts one more call that has ended."""
        with self._lock:
            self._done += 1
            self._failed += not is_fine
            self._show()

    def print(self, data: bytes) -> None:
        """Prints whole lines of functions above the progress line."""
        with self._lock:
            self._clear()
            self._output.flush()
            self._output.buffer.write(data)
            self._output.buffer.flush()
            self._show()

    def finish(self) -> None:
        """Removes the line."""
        self._is_over.set()
        with self._lock:
            self._clear()

    def _tell(self) -> None:
        while not self._is_over.wait(self._interval):
            self.print(f"{self._line()}\n".encode())

    def _line(self) -> str:
        failed = f", {self._failed} failed" if self._failed else ""
        return f"slipway: {self._name}: {self._done} of {self._count}{failed}"

    def _clear(self) -> None:
        if self._is_shown:
            self._output.write("\r\x1b[K")
            self._output.flush()
        self._is_shown = False

    def _show(self) -> None:
        if not self._is_terminal:
            return
        self._output.write(f"\r\x1b[K{self._line()[: shutil.get_terminal_size().columns - 1]}")
        self._output.flush()
        self._is_shown = True
