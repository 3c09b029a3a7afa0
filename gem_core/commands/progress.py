"""A line on the terminal that shows the progress of a command. Edge: terminal."""

import shutil
from typing import Self, TextIO

from gem_core.audit.rows.progress import Pass

_START_OF_LINE, _ERASE = "\r", "\x1b[K"
_BAR = 24


class ProgressLine:
    """A line that overwrites itself and is erased at the end. It is shown only on a terminal."""

    def __init__(self, stream: TextIO, *, last: Pass = Pass.CHECKED, then: str = "judging") -> None:
        """Draw on this stream.

        Args:
            stream: standard error.
            last: the last pass over the rows.
            then: what is done after it, for the line to say.

        """
        self._stream = stream
        self._last = last
        self._then = then
        self._shown = ""
        self._on = stream.isatty()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.erase()

    def erase(self) -> None:
        """Erase the line, so that other text can be printed."""
        if self._shown:
            self._stream.write(_START_OF_LINE + _ERASE)
            self._stream.flush()
            self._shown = ""

    def rows(self, doing: Pass, done: int, total: int) -> None:
        """Show how many of the rows were read. The line changes at most once for each percent.

        Args:
            doing: the pass over the rows.
            done: rows that were read in this pass.
            total: rows of the file.

        """
        percent = min(100, done * 100 // total) if total else 100
        filled = percent * _BAR // 100
        bar = "#" * filled + "." * (_BAR - filled)
        ended = doing is self._last and done >= total
        after = self._then if ended else f"of {total:,} rows {doing}"
        self.show(f"{percent:3}% [{bar}] {after}")

    def show(self, text: str) -> None:
        """Replace the text of the line."""
        if self._on and text != self._shown:
            width = shutil.get_terminal_size().columns - 1
            self._stream.write(_START_OF_LINE + text[:width] + _ERASE)
            self._stream.flush()
            self._shown = text
