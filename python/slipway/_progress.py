"""How far a map is."""

import shutil
from typing import TextIO


class MapProgress:
    """One line of a terminal, below what functions print. Nothing where it is no terminal."""

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
        """One more has ended."""
        self._done += 1
        self._failed += not is_fine
        self._show()

    def print(self, data: bytes) -> None:
        """Passes on what a function printed."""
        self.finish()
        self._output.flush()
        self._output.buffer.write(data)
        self._output.buffer.flush()
        self._is_at_start = data.endswith(b"\n")
        self._show()

    def finish(self) -> None:
        """Takes the line away."""
        if self._is_shown:
            self._output.write("\r\x1b[K")
            self._output.flush()
        self._is_shown = False

    def _show(self) -> None:
        # In the middle of a printed line there is no room for it.
        if not self._is_terminal or not self._is_at_start:
            return
        failed = f", {self._failed} failed" if self._failed else ""
        line = f"slipway: {self._name}: {self._done} of {self._count}{failed}"
        self._output.write(f"\r\x1b[K{line[: shutil.get_terminal_size().columns - 1]}")
        self._output.flush()
        self._is_shown = True
