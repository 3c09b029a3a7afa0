"""Child processes that never outlive us: their log, their readiness, their end. Edge.

A child watches its standard input, which is the reading end of a pipe that only we hold. Whatever
ends our process, SIGKILL included, closes the pipe, and the child ends. That works on every system
and, unlike Linux' parent-death signal, does not depend on which of our threads started the child.
"""

import os
import socket
import subprocess
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Self

STOP_SECONDS = 5.0
"""How long a child may take to end by itself after SIGTERM before it is killed."""

_POLL_SECONDS = 0.02
_LOG_TAIL_BYTES = 8192


class ChildError(Exception):
    """A child process did not come up; the message ends with what it wrote."""


class ChildProcess:
    """One running program, in a session of its own so that Ctrl-C reaches us and not the child."""

    def __init__(
        self,
        command: Sequence[str],
        *,
        log: Path,
        environment: Mapping[str, str] | None = None,
        folder: Path | None = None,
    ) -> None:
        """Start `command`; both of its outputs are appended to `log`."""
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
        """The process id of the program itself; there is no shell in between."""
        return self._process.pid

    @property
    def running(self) -> bool:
        """Whether it has not ended yet."""
        return self._process.poll() is None

    @property
    def exit_code(self) -> int | None:
        """None while it runs; negative for the signal that ended it."""
        return self._process.poll()

    def wait_until(self, ready: Callable[[Self], bool], *, what: str, seconds: float) -> None:
        """Wait for `ready`.

        Raises:
            ChildError: the child ended first, or `seconds` passed.

        """
        deadline = time.monotonic() + seconds
        while not ready(self):
            if not self.running:
                raise ChildError(f"{what} ended with code {self.exit_code}:\n{self.log_tail()}")
            if time.monotonic() > deadline:
                raise ChildError(f"{what} is not ready after {seconds:g} s:\n{self.log_tail()}")
            time.sleep(_POLL_SECONDS)

    def stop(self) -> None:
        """End it: SIGTERM, and SIGKILL when it is still there after `STOP_SECONDS`."""
        try:
            self._process.terminate()
            self._process.wait(STOP_SECONDS)
        except subprocess.TimeoutExpired:
            self._process.kill()
        finally:
            self._reap()

    def kill(self) -> None:
        """End it at once, without a chance to tidy up (SIGKILL)."""
        self._process.kill()
        self._reap()

    def _reap(self) -> None:
        self._process.wait()
        if self._process.stdin:
            self._process.stdin.close()

    def log_tail(self) -> str:
        """The last 8 KiB that it wrote."""
        with self.log.open("rb") as file:
            file.seek(0, os.SEEK_END)
            file.seek(max(0, file.tell() - _LOG_TAIL_BYTES))
            return file.read().decode(errors="replace").strip() or "(it wrote nothing)"


def free_ports(count: int) -> tuple[int, ...]:
    """Loopback TCP ports that nothing listens on at this moment, all different."""
    sockets = [socket.socket() for _ in range(count)]
    try:
        for each in sockets:
            each.bind(("127.0.0.1", 0))
        return tuple(int(each.getsockname()[1]) for each in sockets)
    finally:
        for each in sockets:
            each.close()
