"""What an error of pyarrow means: broken data, a limit of pyarrow, a lack of memory. Edge (reads).

pyarrow's Parquet reader raises most of its errors as OSError, so only the text says what happened.
This is the one place that looks at it.
"""

import re
from collections.abc import Iterator
from contextlib import contextmanager

import pyarrow as pa

from gem_core.audit.reading.range_file import RangeFile

_RAISED = (pa.ArrowException, OSError, UnicodeError, ValueError, OverflowError, MemoryError)
"""What pyarrow raises at a file that it cannot read."""

_SHORTAGE = re.compile(
    r"\b(?:malloc|realloc|calloc|mmap) of size\b|\bbad_alloc\b|\bunable to allocate\b"
    r"|\bcannot allocate memory\b|\bout of memory\b|\bcan't start new thread\b",
    re.IGNORECASE,
)
_LIMIT = re.compile(
    r"\bnot yet implemented\b|\bunknown encoding type\b|\bunsupported compression codec\b"
    # Of a footer: more than a million elements in a list, or a schema of more than 100 levels.
    r"|\bexceeded size limit\b|\btoo deeply nested\b"
    # DuckDB writes deltas of INT32 with more than 32 bits; Polars reads them, arrow-rs does not.
    r"|\bdelta bit width larger\b|\bInitBlock EOF\b",
    re.IGNORECASE,
)


class DataFault(Exception):
    """The data is broken."""


class Unsupported(DataFault):
    """pyarrow cannot decode the data; other readers may. This says nothing about the file."""


@contextmanager
def told_apart(file: RangeFile) -> Iterator[None]:
    """Raise what pyarrow raises while it reads `file` as what it is.

    A file that contains the words of a shortage by itself is taken for one. This is harmless:
    nothing is concluded from it about the file.

    Raises:
        OutputError: the source could not be read; as it raised it.
        MemoryError: there was too little, which says nothing about the file.
        DataFault: the data is broken, or Unsupported.

    """
    try:
        yield
    except _RAISED as error:
        if file.failure:
            raise file.failure from None
        if is_shortage(error):
            raise MemoryError(in_short(error)) from None
        raise (Unsupported if _is_limit(error) else DataFault)(in_short(error)) from None


def is_shortage(error: BaseException) -> bool:
    """Whether memory was short, whichever library says so."""
    return isinstance(error, MemoryError) or bool(_SHORTAGE.search(str(error)))


def _is_limit(error: BaseException) -> bool:
    limits = (pa.ArrowNotImplementedError, pa.ArrowCapacityError)
    return isinstance(error, limits) or bool(_LIMIT.search(str(error)))


def in_short(error: BaseException) -> str:
    """What was raised, on one line."""
    text = " ".join(str(error).split()) or type(error).__name__
    return text if len(text) <= 300 else text[:299] + "…"  # noqa: PLR2004 - one line of a report
