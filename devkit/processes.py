"""Child processes that never outlive their parent: log, start and end. Edge.

A child watches its standard input, a pipe whose other end only the parent has. When the parent ends
for any reason, also by SIGKILL, the pipe is closed and the child ends. This works on every system.
Unlike the parent-death signal of Linux, it does not depend on the thread that started the child.
"""

import os
import signal
import socket
import subprocess
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Self

STOP_SECONDS = 60.0
"""Time between SIGTERM and SIGKILL for a child that does not end. A busy machine needs a while: the
runner alone waits up to 3.5 s for its functions."""

_POLL_SECONDS = 0.02
_LOG_TAIL_BYTES = 8192


class ChildError(Exception):
    """A child process did not start; the message ends with its output."""


class ChildProcess:
    """A running program. It has its own session, so that Ctrl-C reaches only the parent."""

    def __init__(
        self,
        command: Sequence[str],
        *,
        log: Path,
        environment: Mapping[str, str] | None = None,
        folder: Path | None = None,
    ) -> None:
        """Start `command`. Its standard output and standard error are appended to `log`."""
        self.log = log
        with log.open("ab") as output:
            self._process = subprocess.Popen(
                command,
                stdin=subprocess.PIPE,
                stdout=output,
                stderr=subprocess.STDOUT,
                env=None if environment is None else dict(environment),
                cwd=folder,
                start_new_session=True,
            )

    @property
    def pid(self) -> int:
        """The process id of the program. There is no shell in between."""
        return self._process.pid

    @property
    def running(self) -> bool:
        """Whether the program is still running."""
        return self._process.poll() is None

    @property
    def exit_code(self) -> int | None:
        """The exit code; None while the program runs; negative if a signal ended it."""
        return self._process.poll()

    def wait_until(self, ready: Callable[[Self], bool], *, what: str, seconds: float) -> None:
        """Wait until `ready` returns true.

        Raises:
            ChildError: the child ended before, or `seconds` have passed.

        """
        deadline = time.monotonic() + seconds
        while not ready(self):
            if not self.running:
                raise ChildError(f"{what} ended with code {self.exit_code}:\n{self.log_tail()}")
            if time.monotonic() > deadline:
                raise ChildError(f"{what} is not ready after {seconds:g} s:\n{self.log_tail()}")
            time.sleep(_POLL_SECONDS)

    def wait(self, *, what: str, seconds: float) -> None:
        """Wait until the program has ended.

        Raises:
            ChildError: it has not ended after `seconds`.

        """
        try:
            self._process.wait(seconds)
        except subprocess.TimeoutExpired:
            message = f"{what} has not ended after {seconds:g} s:\n{self.log_tail()}"
            raise ChildError(message) from None

    def stop(self) -> None:
        """Stop the program with SIGTERM, and with SIGKILL after `STOP_SECONDS`."""
        try:
            self._process.terminate()
            self._process.wait(STOP_SECONDS)
        except subprocess.TimeoutExpired:
            self._process.kill()
        finally:
            self._reap()

    def kill(self) -> None:
        """Stop the program and what it started in its session, so that none can clean up."""
        if hasattr(os, "killpg"):
            os.killpg(self._process.pid, signal.SIGKILL)  # it leads the group until it is reaped
        else:
            self._process.kill()
        self._reap()

    def _reap(self) -> None:
        self._process.wait()
        if self._process.stdin:
            self._process.stdin.close()

    def log_tail(self) -> str:
        """The last 8 KiB of the output."""
        with self.log.open("rb") as file:
            file.seek(0, os.SEEK_END)
            file.seek(max(0, file.tell() - _LOG_TAIL_BYTES))
            return file.read().decode(errors="replace").strip() or "(no output)"


def free_ports(count: int) -> tuple[int, ...]:
    """Different loopback TCP ports that are free at this moment."""
    sockets = [socket.socket() for _ in range(count)]
    try:
        for each in sockets:
            each.bind(("127.0.0.1", 0))
        return tuple(int(each.getsockname()[1]) for each in sockets)
    finally:
        for each in sockets:
            each.close()
