"""What a process of the app uses, as the system counts it. Edge: /proc, ps."""

import os
import subprocess
import sys
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True, slots=True)
class Usage:
    """Of one process, now."""

    cpu_seconds: float
    """Since its start, all threads together."""
    resident_bytes: int
    data_bytes: int
    """What RLIMIT_DATA bounds (VmData); the resident bytes where the system does not count it."""


def usage(pid: int) -> Usage | None:
    """What the process uses; None when it is gone, or the system does not say."""
    with suppress(OSError, ValueError, KeyError, IndexError, subprocess.SubprocessError):
        return _of_linux(pid) if sys.platform == "linux" else of_ps(pid)
    return None


def _of_linux(pid: int) -> Usage:
    """Source: proc_pid_stat(5), fields utime and stime; proc_pid_status(5)."""
    folder = Path("/proc") / str(pid)
    fields = (folder / "stat").read_text().rpartition(")")[2].split()
    lines = (line.partition(":") for line in (folder / "status").read_text().splitlines())
    found = {name: value.split() for name, _, value in lines}
    return Usage(
        (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK"),
        int(found["VmRSS"][0]) << 10,
        int(found["VmData"][0]) << 10,
    )


def of_ps(pid: int) -> Usage:
    """The same by the command that every Unix has: KiB, and [[days-]hours:]minutes:seconds."""
    command = ["ps", "-o", "rss=,time=", "-p", str(pid)]
    text = subprocess.run(command, capture_output=True, text=True, timeout=10, check=True).stdout  # noqa: S603 - fixed words
    resident, _, time = text.strip().partition(" ")
    days, _, clock = time.strip().rpartition("-")
    seconds = 0.0
    for part in clock.split(":"):
        seconds = seconds * 60 + float(part)
    return Usage(seconds + int(days or 0) * 86_400, int(resident) << 10, int(resident) << 10)
