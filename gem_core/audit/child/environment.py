"""How the child is started: its command and its environment. Pure."""

import sys
from collections.abc import Mapping, Sequence
from pathlib import Path

MODULE = "gem_core.audit.child"

ALLOCATORS = {
    "ARROW_DEFAULT_MEMORY_POOL": "jemalloc",
    "JE_ARROW_MALLOC_CONF": "retain:false",
    "MALLOC_ARENA_MAX": "1",
    "MALLOC_MMAP_THRESHOLD_": "16777216",
    "MALLOC_TRIM_THRESHOLD_": "33554432",
    "NPY_DISABLE_CPU_FEATURES": "X86_V4",
    "OPENBLAS_NUM_THREADS": "1",
}
"""Read when the process or a library starts, so only here can they be set in time (decisions 20, 25
and 26). Ranges of 8 to 12 MiB come one after the other: below the threshold they use the same pages
again. Without `retain:false`, jemalloc keeps the addresses of memory that it gave back. They count
against the limit: after one large page Python would have none left. numpy's linear algebra is not
used: its threads would only take memory."""

_PASSED = ("PATH", "LD_LIBRARY_PATH", "TMPDIR")
"""Of the parent's environment. All else may hold settings and secrets."""

_PACKAGES = Path(__file__).resolve().parents[3]
"""Where `gem_core` is imported from."""


def command(*, socket_fd: int, parent_pid: int, data_bytes: int) -> Sequence[str]:
    """The words that start the child.

    With -P the working directory is not on the path, and with -S no .pth file of the installation
    runs: the path is the parent's.
    """
    words = (socket_fd, parent_pid, data_bytes)
    return [sys.executable, "-P", "-S", "-m", MODULE, *map(str, words)]


def environment(parent: Mapping[str, str], path: Sequence[str], home: str) -> dict[str, str]:
    """The whole environment of the child.

    Args:
        parent: the parent's environment.
        path: the parent's `sys.path`. What is relative in it depends on a working directory, where
            a foreign file may lie beside foreign modules, so it is left out.
        home: an empty folder.

    """
    passed = {name: parent[name] for name in _PASSED if name in parent}
    places = [place for place in path if Path(place).is_absolute()]
    return {
        **passed,
        **ALLOCATORS,
        "HOME": home,
        "LC_ALL": "C.UTF-8",
        "PYTHONPATH": ":".join([*places, str(_PACKAGES)]),
    }
