"""A signal ends the runner, whatever its main thread is doing."""

import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]

PROGRAM = """
import signal, threading
from types import SimpleNamespace
from devkit.runner.__main__ import _serve

class Waited(threading.Event):
    def wait(self, timeout=None):
        if threading.current_thread() is threading.main_thread():
            with self._cond:  # as `Event.wait` itself does
                signal.raise_signal(signal.SIGTERM)
        return super().wait(timeout)

event = Waited()
host = SimpleNamespace(
    stop_event=event, functions=[], site=None, stop=event.is_set, broke=False
)
server = SimpleNamespace(url="", serve_forever=lambda _: None, shutdown=lambda: None)
keys = SimpleNamespace(function="", master="")
print(_serve(host, server, keys, with_parent=False))
"""


@pytest.mark.slow  # a process that imports the SDK
def test_a_signal_while_it_begins_to_wait() -> None:
    """Then the main thread holds the lock of the event that the handler would set."""
    ended = subprocess.run(
        [sys.executable, "-c", PROGRAM],
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=60,
        check=True,
    )
    assert ended.stdout.splitlines()[-1] == "0", ended.stderr
