"""Printing, also where nobody takes what is printed. Edge: terminal."""

import io
import json
import os
import shutil
import sys
from collections.abc import Iterable
from pathlib import Path
from typing import TextIO

from gem_core.audit.reading.address import without_signature
from gem_core.commands.table import plain
from gem_core.errors import CourierError


class Unprinted(CourierError):
    """Standard output takes no answer; the message says why."""


def prepare_streams() -> None:
    """Before the first word.

    Raises:
        Unprinted: there is no standard output. Without standard error there is only the exit code.

    """
    if sys.stderr is None:  # its place is taken, so that no file of ours comes to stand there
        sys.stderr = Path(os.devnull).open("w", encoding="utf-8")  # noqa: SIM115 - to the end
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):  # GEM's words may be none that the terminal has
            stream.reconfigure(errors="backslashreplace")
    if sys.stdout is None:
        raise Unprinted("standard output is closed")


def say(lines: Iterable[str]) -> None:
    """Print lines.

    Raises:
        Unprinted: they did not get out.
        BrokenPipeError: whoever read them has enough.

    """
    text = "".join(f"{line}\n" for line in lines)
    try:
        sys.stdout.write(text)
        sys.stdout.flush()  # at the end of the process it would be too late to tell
    except BrokenPipeError:
        _silence(sys.stdout)
        raise
    except OSError as error:
        _silence(sys.stdout)
        raise Unprinted(f"standard output: {error.strerror}") from None


def say_json(value: object, *, indent: int | None = 1) -> None:
    """Print one JSON value. Raises as `say` does."""
    say([json.dumps(value, indent=indent)])


def complain(text: str) -> None:
    """Print lines on standard error; where they cannot be, the exit code has to do.

    They may repeat what was typed, or be a traceback: no signature of an address is shown.
    """
    lines = without_signature(text).rstrip().splitlines()
    try:
        sys.stderr.writelines(f"{plain(line)}\n" for line in lines)
        sys.stderr.flush()
    except OSError:
        _silence(sys.stderr)


def terminal_width() -> int:
    """Of the terminal; of a file or a pipe, which may be searched, as good as none."""
    return shutil.get_terminal_size().columns if sys.stdout.isatty() else 1000


def _silence(stream: TextIO) -> None:
    """Lead what a stream still holds nowhere: Python would complain once more when it ends."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), stream.fileno())
