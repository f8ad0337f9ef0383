"""The progress line of a map."""

import shutil
from typing import TextIO


class MapProgress:
    """A progress line on a terminal, below the output of the functions. Prints nothing if the output is not a terminal."""

    def __init__(self, name: str, count: int, output: TextIO) -> None:
        self._name = name
        self._count = count
        self._output = output
        self._is_terminal = output.isatty()
        self._done = 0
        self._failed = 0
        self._is_shown = False
        self._is_at_start = True
        self._show()

    def settled(self, is_fine: bool) -> None:
        """Counts one more call that has ended."""
        self._done += 1
        self._failed += not is_fine
        self._show()

    def print(self, data: bytes) -> None:
        """Prints a function's output above the progress line."""
        self.finish()
        self._output.flush()
        self._output.buffer.write(data)
        self._output.buffer.flush()
        self._is_at_start = data.endswith(b"\n")
        self._show()

    def finish(self) -> None:
        """Removes the line."""
        if self._is_shown:
            self._output.write("\r\x1b[K")
            self._output.flush()
        self._is_shown = False

    def _show(self) -> None:
        # The output is in the middle of a line.
        if not self._is_terminal or not self._is_at_start:
            return
        failed = f", {self._failed} failed" if self._failed else ""
        line = f"slipway: {self._name}: {self._done} of {self._count}{failed}"
        self._output.write(f"\r\x1b[K{line[: shutil.get_terminal_size().columns - 1]}")
        self._output.flush()
        self._is_shown = True
