"""Writes an HTML page to a file, and checks paths that a command is given. Edge: files."""

import os
from collections.abc import Callable, Iterable
from pathlib import Path

from gem_core.commands.options import ReportOptions
from gem_core.commands.table import plain
from gem_core.commands.terminal import print_error
from gem_core.errors import CourierError, RequestError


def check_output_file(path: Path, read: Iterable[str | Path], *, option: str = "--html") -> None:
    """Check that a file can be written, before a long audit starts. An existing file is kept.

    Args:
        path: the file to write.
        read: files and addresses that the command reads, which must not be overwritten.
        option: what names the file, for an error.

    Raises:
        RequestError: the file cannot be written; the message gives the reason.

    """
    try:
        if not path.parent.is_dir():
            raise RequestError(f"{option}: there is no folder {path.parent}")
        if path.is_dir():
            raise RequestError(f"{option}: {path} is a folder")
        if any(_is_same(path, Path(source)) for source in read):
            raise RequestError(f"{option}: this would overwrite {path}, which is read")
        if not _can_write(path):
            raise RequestError(f"{option}: no permission to write {path}")
    except OSError as error:
        raise RequestError(f"{option}: {path}: {error.strerror}") from None


def check_report(report: ReportOptions, read: Iterable[str | Path]) -> None:
    """Check page and folder of a command before its work starts. Raises RequestError."""
    if report.html:
        check_output_file(report.html, read)
    if report.folder:
        check_folder(report.folder)


def _is_same(path: Path, source: Path) -> bool:
    """Whether both paths name the same file, also through a link. An address names no file."""
    return path.exists() and source.exists() and path.samefile(source)


def _can_write(path: Path) -> bool:
    """Whether a file may be written. Raises OSError when a new file cannot be created."""
    if path.exists():  # do not open it: it may be a pipe, and closing a pipe ends its reader
        return os.access(path, os.W_OK)
    target = path.resolve()
    target.open("xb").close()
    target.unlink()
    return True


def write_page_file(path: Path, page: str) -> None:
    """Write a page.

    Raises:
        RequestError: the file cannot be written.

    """
    try:
        path.write_bytes(page.encode(errors="replace"))
    except OSError as error:
        raise RequestError(f"--html: {path}: {error.strerror}") from None


def write_page(path: Path, draw: Callable[[], str]) -> bool:
    """Draw a page, write it, and say so. If that fails, print the reason and return False."""
    try:
        write_page_file(path, draw())
    except CourierError as error:
        print_error(plain(f"the page was not written: {error}"))
        return False
    print_error(plain(f"the page was written to {path}"))
    return True


def check_folder(path: Path, *, option: str = "--folder") -> None:
    """Check that there is a folder.

    Raises:
        RequestError: there is none.

    """
    try:
        is_folder = path.is_dir()
    except OSError as error:
        raise RequestError(f"{option}: {path}: {error.strerror}") from None
    if not is_folder:
        raise RequestError(f"{option}: there is no folder {path}")
