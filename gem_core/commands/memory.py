"""The limit of memory of commands that read files in their own process. Edge: the system.

Such a command serves one person and delivers nothing, so a file that ends it harms nothing else. It
must only not take the memory of the whole machine.
"""

import resource
import sys
from collections.abc import Iterator
from contextlib import contextmanager

from gem_core.audit.child.machine import memory_bytes
from gem_core.audit.parquet.reader_errors import is_shortage
from gem_core.errors import RequestError

_LEAST_BYTES = 768 << 20


def limit_memory() -> None:
    """Allow this process half of the machine's memory, on Linux."""
    if sys.platform != "linux":
        return
    _, hard = resource.getrlimit(resource.RLIMIT_DATA)
    bound = max(memory_bytes() // 2, _LEAST_BYTES)
    if hard == resource.RLIM_INFINITY or bound < hard:
        resource.setrlimit(resource.RLIMIT_DATA, (bound, hard))


@contextmanager
def shortage_explained() -> Iterator[None]:
    """Say in words that memory was short.

    Raises:
        RequestError: it was.

    """
    try:
        yield
    except Exception as error:
        if is_shortage(error):
            raise RequestError(f"there is too little memory: {error}") from None
        raise
