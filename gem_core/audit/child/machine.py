"""How much memory an audit in a child may take on this machine. Edge: the system."""

import os
from contextlib import suppress
from pathlib import Path

from gem_core.audit.options import LIMIT_BYTES

LEAST_BYTES = 512 << 20
"""Of data: see `Limits.data_bytes`."""
MOST_BYTES = 1 << 30
APP_BYTES = 424 << 20
"""Of the Functions host and its Python worker under load: 214 and 209 MB, measured in the real host
4.1037 (docs/scale.md)."""

_CGROUP_LIMITS = (
    Path("/sys/fs/cgroup/memory.max"),
    Path("/sys/fs/cgroup/memory/memory.limit_in_bytes"),
)
"""Of version 2 and version 1. Source: Linux, Documentation/admin-guide/cgroup-v2.rst, cgroup-v1."""


def audit_bytes(ids_bytes: int = LIMIT_BYTES) -> int:
    """The limit of an audit whose ids may take `ids_bytes`.

    It is half of the memory of the machine, or of its container, within the two bounds above, and
    what `least_bytes` adds for ids.
    """
    half = min(memory_bytes() // 2, MOST_BYTES)
    return max(half, LEAST_BYTES) + _more_for(ids_bytes)


def least_bytes(ids_bytes: int) -> int:
    """What an audit needs whose ids may take `ids_bytes`: the more, the more above the default."""
    return LEAST_BYTES + _more_for(ids_bytes)


def _more_for(ids_bytes: int) -> int:
    return max(0, ids_bytes - LIMIT_BYTES)


def memory_bytes() -> int:
    """The memory of the machine, or of its container if that is less."""
    return min(_installed_bytes(), *map(_limit_bytes, _CGROUP_LIMITS))


def _installed_bytes() -> int:
    return os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")


def _limit_bytes(path: Path) -> int:
    """What the file says; the installed memory when there is no such file or no limit ("max")."""
    with suppress(OSError, ValueError):
        return int(path.read_text())
    return _installed_bytes()
