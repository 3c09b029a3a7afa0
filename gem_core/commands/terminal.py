"""Printing. Edge: terminal."""

import json
import shutil
import sys
from collections.abc import Iterable


def say(lines: Iterable[str]) -> None:
    """Print lines."""
    sys.stdout.writelines(f"{line}\n" for line in lines)


def say_json(value: object) -> None:
    """Print one JSON value."""
    sys.stdout.write(json.dumps(value, indent=1) + "\n")


def terminal_width() -> int:
    """Of the terminal; of a file or a pipe, which may be searched, as good as none."""
    return shutil.get_terminal_size().columns if sys.stdout.isatty() else 1000
