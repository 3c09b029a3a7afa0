"""The limits that the child sets for itself, before it imports anything large. Edge: the system.

This holds back accidents and decompression bombs. It is no sandbox: code that runs here may do what
the user of the process may do.
"""

import ctypes
import math
import os
import resource
import signal
import sys
import time
from contextlib import suppress
from pathlib import Path

from gem_core.audit.child.messages import PARENT_GONE

_PR_SET_PDEATHSIG, _PR_SET_DUMPABLE = 1, 4
"""Source: Linux, include/uapi/linux/prctl.h."""


def confine(parent_pid: int, data_bytes: int) -> None:
    """Set the limits that hold for the life of the process.

    Where the system is not Linux, the parent watches the memory instead, and the end of the
    connection alone shows that the parent is gone.
    """
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    if sys.platform == "linux":
        with suppress(OSError):  # some containers do not allow it
            Path("/proc/self/oom_score_adj").write_text("1000")
        _prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
        if os.getppid() != parent_pid:  # it died before it could send a signal
            os._exit(PARENT_GONE)
        # A core_pattern that is a pipe ignores RLIMIT_CORE. From here on /proc/self is read-only.
        _prctl(_PR_SET_DUMPABLE, 0)
        _, hard = resource.getrlimit(resource.RLIMIT_DATA)
        bound = _at_most(data_bytes, hard)
        resource.setrlimit(resource.RLIMIT_DATA, (bound, bound))


def allow_cpu(seconds: int) -> None:
    """Allow so many more seconds of CPU; after them SIGXCPU ends the process.

    The system counts from the start of the process, and nobody can raise a hard limit again. So
    each audit raises the soft limit.
    """
    _, hard = resource.getrlimit(resource.RLIMIT_CPU)
    soft = math.ceil(time.process_time()) + seconds
    resource.setrlimit(resource.RLIMIT_CPU, (_at_most(soft, hard), hard))


def _at_most(bound: int, hard: int) -> int:
    """The bound, or what this process inherited and cannot exceed."""
    return bound if hard == resource.RLIM_INFINITY else min(bound, hard)


def _prctl(option: int, value: int) -> None:
    if ctypes.CDLL(None, use_errno=True).prctl(option, value, 0, 0, 0):
        raise OSError(ctypes.get_errno(), f"prctl {option}")
