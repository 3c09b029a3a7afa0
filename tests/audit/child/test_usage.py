"""What a process uses, by both ways to ask."""

import os
import subprocess
import sys

import pytest

from gem_core.audit.child.usage import Usage, of_ps, usage


@pytest.mark.skipif(sys.platform != "linux", reason="compares with /proc")
def test_both_ways_agree() -> None:
    held = bytearray(64 << 20)
    by_proc, by_ps, later = usage(os.getpid()), of_ps(os.getpid()), usage(os.getpid())
    assert by_proc
    assert later
    assert by_proc.data_bytes > len(held)
    assert by_ps.resident_bytes > len(held)
    assert abs(by_proc.resident_bytes - by_ps.resident_bytes) < len(held) / 2
    # Of Linux, `ps` gives whole seconds.
    assert by_proc.cpu_seconds - 1 < by_ps.cpu_seconds <= later.cpu_seconds


@pytest.mark.parametrize(
    ("said", "seconds"),
    [("0:01.50", 1.5), ("00:00:07", 7), ("01:02:03", 3723), ("2-00:00:01", 172_801)],
)
def test_every_form_of_time_is_read(
    said: str, seconds: float, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Linux has hours, macOS hundredths."""
    done = subprocess.CompletedProcess([], 0, stdout=f"  2048 {said}\n")
    monkeypatch.setattr(subprocess, "run", lambda *_, **__: done)
    assert of_ps(1) == Usage(seconds, 2 << 20, 2 << 20)


def test_of_a_process_that_is_gone_nothing_is_known() -> None:
    with subprocess.Popen([sys.executable, "-c", ""]) as gone:
        pass
    assert usage(gone.pid) is None
    with pytest.raises(subprocess.CalledProcessError):
        of_ps(gone.pid)
