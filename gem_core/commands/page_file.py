"""The file that a page is written to. Edge: files."""

import os
from collections.abc import Iterable
from pathlib import Path

from gem_core.errors import RequestError


def check_page_file(path: Path, read: Iterable[str | Path]) -> None:
    """See that a page can be written, before an audit that may take long. What is there stays.

    Args:
        path: where the page goes.
        read: files and addresses that must stay as they are.

    Raises:
        RequestError: it cannot, and why.

    """
    try:
        if not path.parent.is_dir():
            raise RequestError(f"--html: there is no folder {path.parent}")
        if path.is_dir():
            raise RequestError(f"--html: {path} is a folder")
        if any(_is_same(path, Path(source)) for source in read):
            raise RequestError(f"--html: {path} would be written over")
        if not _can_write(path):
            raise RequestError(f"--html: {path} may not be written")
    except OSError as error:
        raise RequestError(f"--html: {path}: {error.strerror}") from None


def _is_same(path: Path, source: Path) -> bool:
    """Whether both name one file, by whatever link; of addresses no file has the name."""
    return path.exists() and source.exists() and path.samefile(source)


def _can_write(path: Path) -> bool:
    """Whether a file may be written, or made. Raises OSError when it cannot be made."""
    if path.exists():  # not opened: whoever reads from a pipe would take it for the page's end
        return os.access(path, os.W_OK)
    place = path.resolve()
    place.open("xb").close()
    place.unlink()
    return True


def write_page_file(path: Path, page: str) -> None:
    """Write a page.

    Raises:
        RequestError: it could not be written.

    """
    try:
        path.write_bytes(page.encode(errors="replace"))
    except OSError as error:
        raise RequestError(f"--html: {path}: {error.strerror}") from None
