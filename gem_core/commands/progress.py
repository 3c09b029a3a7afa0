"""One line on a terminal that says how far the audit is. Edge: terminal."""

import shutil
from typing import Self, TextIO

from gem_core.audit.rows.progress import Pass

_START_OF_LINE, _ERASE = "\r", "\x1b[K"
_BAR = 24


class ProgressLine:
    """Draws over its own line, and only on a terminal; leaves nothing behind."""

    def __init__(self, stream: TextIO, *, last: Pass = Pass.CHECKED) -> None:
        """Draw on this stream; `last` is the pass after which only judging is left."""
        self._stream = stream
        self._last = last
        self._shown = ""
        self._on = stream.isatty()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.wipe()

    def wipe(self) -> None:
        """Take the line away, so that another may be printed."""
        if self._shown:
            self._stream.write(_START_OF_LINE + _ERASE)
            self._stream.flush()
            self._shown = ""

    def rows(self, doing: Pass, done: int, total: int) -> None:
        """Tell how many rows were read; a line a percent at most."""
        percent = min(100, done * 100 // total) if total else 100
        filled = percent * _BAR // 100
        bar = "#" * filled + "." * (_BAR - filled)
        ended = doing is self._last and done >= total
        after = "judging" if ended else f"of {total:,} rows {doing}"
        self.say(f"{percent:3}% [{bar}] {after}")

    def say(self, text: str) -> None:
        """Show this instead."""
        if self._on and text != self._shown:
            width = shutil.get_terminal_size().columns - 1
            self._stream.write(_START_OF_LINE + text[:width] + _ERASE)
            self._stream.flush()
            self._shown = text
