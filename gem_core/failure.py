"""Says what went wrong without the words of others. Pure.

The text of an exception of a library may hold an address with its signature, or what a server
answered. So it is never shown: only types, files and lines are, and the words of our own errors.
"""

import traceback
from collections.abc import Callable, Iterator
from pathlib import PurePath

from gem_core.errors import CourierError
from gem_core.redaction import redacted

_MAX_ERRORS = 8
_MAX_FRAMES = 24
"""The last ones of each error."""


class FunctionFailed(Exception):
    """A function of the app failed. The host logs the text of this error, and of no other."""


def in_own_words[T](do: Callable[[], T]) -> T:
    """Run the body of a function.

    What a function raises reaches the host over gRPC with its chain, past everything that guards
    the log.

    Raises:
        FunctionFailed: the body raised an error; this one has no chain.

    """
    try:
        return do()
    except Exception as error:  # noqa: BLE001 - none may reach the host as it is
        failed = FunctionFailed(own_words(error))
    raise failed  # after the `except`, so that it has no context


def own_words(error: Exception) -> str:
    """The type and the text of one of our errors; where another error came from."""
    if isinstance(error, CourierError):
        return f"{type(error).__name__}: {redacted(str(error))}"
    return chain(error)


def chain(error: BaseException) -> str:
    """The types of an error and its causes, each with the files and lines that it passed."""
    return " from ".join(f"{type(each).__name__} ({_frames(each)})" for each in _causes(error))


def _causes(error: BaseException) -> Iterator[BaseException]:
    cause: BaseException | None = error
    for _ in range(_MAX_ERRORS):
        if cause is None:
            return
        yield cause
        cause = cause.__cause__ or (None if cause.__suppress_context__ else cause.__context__)


def _frames(error: BaseException) -> str:
    frames = list(traceback.walk_tb(error.__traceback__))[-_MAX_FRAMES:]
    return ", ".join(f"{_shown(frame.f_code.co_filename)}:{line}" for frame, line in frames)


def _shown(path: str) -> str:
    """The end of a path: what is before it differs from machine to machine."""
    parts = PurePath(path).parts
    for root in ("site-packages", "gem_core"):
        if root in parts:
            at = len(parts) - 1 - parts[::-1].index(root)
            return "/".join(parts[at if root == "gem_core" else at + 1 :])
    return "/".join(parts[-2:])
