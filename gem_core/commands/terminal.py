"""Prints to standard output and standard error, which may be closed or full. Edge: terminal."""

import io
import json
import os
import shutil
import sys
from collections.abc import Iterable
from pathlib import Path
from typing import TextIO

from gem_core.commands.table import plain
from gem_core.errors import CourierError
from gem_core.redaction import redacted


class PrintFailed(CourierError):
    """The result could not be written to standard output; the message gives the reason."""


def prepare_streams() -> None:
    """Prepare standard output and standard error before anything is printed.

    Raises:
        PrintFailed: standard output is closed. If standard error is closed, errors are not printed.

    """
    if sys.stderr is None:  # keep its descriptor in use: the next opened file would get it
        sys.stderr = Path(os.devnull).open("w", encoding="utf-8")  # noqa: SIM115 - to the end
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):  # the terminal may not support GEM's characters
            stream.reconfigure(errors="backslashreplace")
    if sys.stdout is None:
        raise PrintFailed("standard output is closed")


def print_lines(lines: Iterable[str]) -> None:
    """Print lines on standard output, without secrets.

    Raises:
        PrintFailed: they could not be written.
        BrokenPipeError: the reader closed the pipe.

    """
    text = "".join(f"{line}\n" for line in lines)
    try:
        sys.stdout.write(redacted(text))
        sys.stdout.flush()  # at the end of the process, an error could not be reported any more
    except BrokenPipeError:
        _silence(sys.stdout)
        raise
    except OSError as error:
        _silence(sys.stdout)
        raise PrintFailed(f"standard output: {error.strerror}") from None


def print_json(value: object, *, indent: int | None = 1) -> None:
    """Print one JSON value. Raises the same errors as `print_lines`."""
    print_lines([json.dumps(value, indent=indent)])


def print_error(text: str) -> None:
    """Print lines on standard error; ignored when that is impossible.

    The text may repeat an argument, such as an address with its signature, so secrets are hidden.
    """
    lines = redacted(text).rstrip().splitlines()
    try:
        sys.stderr.writelines(f"{plain(line)}\n" for line in lines)
        sys.stderr.flush()
    except OSError:
        _silence(sys.stderr)


def terminal_width() -> int:
    """Width of the terminal in characters. For files and pipes 1000, so that nothing is cut."""
    return shutil.get_terminal_size().columns if sys.stdout.isatty() else 1000


def _silence(stream: TextIO) -> None:
    """Discard the buffer of a stream. Otherwise Python reports the same error again at exit."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), stream.fileno())
