"""A child that does what a child must not do: `environment.MODULE` is set to this module.

The question's job id names what it does. It takes the limits as the real one does, so that they can
be tested without a large file.
"""

import importlib
import json
import os
import signal
import socket
import sys
import threading
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

from gem_core.audit.child.confine import allow_cpu, confine
from gem_core.audit.child.frames import Channel
from gem_core.audit.child.messages import (
    FROM_PARENT,
    MAX_RANGE_BYTES,
    Begun,
    Crashed,
    Done,
    OutputUnread,
    Question,
    ReadRange,
    Ready,
    Result,
)
from gem_core.audit.child.result import AuditResult
from gem_core.outcome import Outcome

VERDICT = Result(AuditResult(Outcome.VALID, {}, "", 1, 1.0, 0, 0))


class Hostile:
    """One child."""

    def __init__(self, end: socket.socket) -> None:
        self.end = end
        self.channel = Channel(end, FROM_PARENT, None)

    def live(self) -> None:
        self.channel.send(Ready())
        while True:
            question, _ = self.channel.receive()
            assert isinstance(question, Question)
            self.channel.send(Begun(question.token))
            allow_cpu(question.cpu_seconds)
            name, *words = question.job.job_run_id.split()
            act: Callable[..., Any] = getattr(self, name)
            act(*words)

    def wild_range(self, *numbers: str) -> None:
        self.channel.send(ReadRange(*map(int, numbers)))

    def read_and_report(self, *numbers: str) -> None:
        """Ask for a range, and report that the output could not be read."""
        self.wild_range(*numbers)
        self.channel.receive()
        self.channel.send(OutputUnread())

    def many_ranges(self) -> None:
        for number in range(100):
            self.channel.send(ReadRange(number, 0, 0, 1))

    def gibibyte(self) -> None:
        self.end.sendall((2).to_bytes(4) + (1 << 30).to_bytes(4) + b"{}")
        while True:
            self.end.sendall(bytes(1 << 20))

    def half_a_frame(self) -> None:
        self.end.sendall((2).to_bytes(4))
        self.hang()

    def tell(self, path: str) -> None:
        """Write the process id to a file, then hang."""
        Path(path).write_text(f"{os.getpid()}\n", "ascii")
        self.hang()

    def hang(self) -> None:
        """Wait for ever, without CPU."""
        threading.Event().wait()

    def deaf(self) -> None:
        """Ask for a range, and do not receive it."""
        self.channel.send(ReadRange(1, 0, 0, MAX_RANGE_BYTES))
        self.hang()

    def spin(self) -> None:
        while True:
            pass

    def spin_in_the_page(self) -> None:
        self.channel.send(VERDICT)
        self.spin()

    def die_in_the_page(self) -> None:
        self.channel.send(VERDICT)
        os.kill(os.getpid(), signal.SIGABRT)

    def hang_in_the_page(self) -> None:
        self.channel.send(VERDICT)
        self.hang()

    def page(self, text: str = "") -> None:
        self.channel.send(VERDICT)
        self.channel.send(Done("", needs_renewal=False), bytes.fromhex(text))

    def outcome(self, word: str) -> None:
        self.channel.send(Result(replace(VERDICT.result, outcome=Outcome(word))))

    def rows(self) -> None:
        """Send failing rows that nobody asked for."""
        self.channel.send(VERDICT, b"rows")
        self.channel.send(Done("", needs_renewal=False))

    def unasked(self) -> None:
        """Answer well, and then once more."""
        self.page()
        self.channel.send(VERDICT)

    def no_such_failure(self) -> None:
        self.channel.send(OutputUnread())

    def die(self, number: str) -> None:
        os.kill(os.getpid(), int(number))
        self.hang()

    def die_without_memory(self) -> None:
        """As C++ does: the allocator's exception is not caught."""
        sys.stderr.write("terminate called after throwing an instance of 'std::bad_alloc'\n")
        self.die(str(int(signal.SIGABRT)))

    def leave(self, code: str) -> None:
        sys.stderr.write("x" * 10_000 + "last line")
        sys.stderr.flush()
        os._exit(int(code))

    def close(self) -> None:
        """End the connection, and go on."""
        self.channel.close()
        self.hang()

    def grow(self) -> None:
        """Hold 400 MiB."""
        self.held = bytearray(b"x") * (400 << 20)
        self.hang()

    def report(self) -> None:
        """Report what this process has, once it has imported all that an audit needs."""
        importlib.import_module("gem_core.audit.child.answering")
        files = {number: str(Path(f"/proc/self/fd/{number}").readlink()) for number in open_files()}
        listing = {
            "environment": dict(os.environ),
            "modules": sorted(sys.modules),
            "files": files,
            "folder": str(Path("/proc/self/cwd").readlink()),
            "path": sys.path,
            "session": os.getsid(0),
        }
        self.channel.send(Crashed(json.dumps(listing)))


def open_files() -> list[int]:
    found = []
    for number in range(256):
        try:
            os.fstat(number)
        except OSError:
            continue
        found.append(number)
    return found


def main() -> None:
    socket_fd, parent_pid, data_bytes = map(int, sys.argv[1:])
    confine(parent_pid, data_bytes)
    Hostile(socket.socket(fileno=socket_fd)).live()


if __name__ == "__main__":
    main()
