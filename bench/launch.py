"""Runs a program and prints its time, its CPU time and its peak memory. Linux."""

import json
import os
import subprocess
import sys
from collections.abc import Mapping, Sequence

from bench.__main__ import ROOT

_LAUNCHER = """
import json, os, resource, subprocess, sys, time
began = time.monotonic()
code = subprocess.call(sys.argv[1:], stdout=subprocess.DEVNULL)
used = resource.getrusage(resource.RUSAGE_CHILDREN)
cpu = used.ru_utime + used.ru_stime
print(json.dumps([time.monotonic() - began, cpu, used.ru_maxrss >> 10, code]))
"""
"""The system counts the memory of a process from that of the one that starts it, so a small one
does.
"""


def measure(name: str, words: Sequence[str], environment: Mapping[str, str]) -> None:
    """Run Python with these words, and print what it took."""
    done = subprocess.run(
        [sys.executable, "-S", "-c", _LAUNCHER, sys.executable, *words],
        cwd=ROOT, env={**os.environ, **environment}, capture_output=True, text=True, check=True,
    )  # fmt: skip
    wall, cpu, peak, code = json.loads(done.stdout)
    if code:
        sys.exit(done.stderr)
    print(f"{name:20} {wall:6.1f} s wall {cpu:6.1f} s CPU {peak:6} MiB peak")
