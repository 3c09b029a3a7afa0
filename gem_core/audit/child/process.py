"""Starts the child, receives what it sends, and knows how it ended. Edge: processes, socket, clock.

The parent's side. A thread of its own starts the child, and lives as long as the child. The child's
PR_SET_PDEATHSIG is tied to the thread that forked, not to the process.
"""

import os
import signal
import socket
import subprocess
import sys
import tempfile
from collections.abc import Mapping
from concurrent.futures import Future
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from queue import Empty, Full, Queue
from threading import Lock, Thread

from gem_core.audit.child import environment
from gem_core.audit.child.frames import Channel, ChannelLost, ProtocolError
from gem_core.audit.child.limits import MEMORY_IS_LIMITED
from gem_core.audit.child.messages import FROM_CHILD
from gem_core.audit.child.usage import Usage, usage

FRAME_SECONDS = 60
"""For one frame. A child that takes longer to receive or to send one hangs."""

_SEND_BUFFER_BYTES = 1 << 20
"""As far as the system allows it: a quarter of the switches between the processes, for ranges of
some MiB."""
_END_SECONDS = 10
"""From SIGKILL to the end; only a process that waits for a device takes that long."""
_WATCH_SECONDS = 0.25
"""Between two looks at the memory of the child, where the system does not bound it."""
_HANDOVER_SECONDS = 1
_STDERR_BYTES = 4 << 10
"""Of the end of standard error, that are kept for the log."""
_WAITING_EVENTS = 8
"""Messages that were received and not dealt with. When there are so many, the child has to wait."""


@dataclass(frozen=True, slots=True)
class Lost:
    """Nothing more comes of the child; the reason, and whether it broke the protocol."""

    reason: str
    broke_protocol: bool


class ChildProcess:
    """One child, from its start to its end."""

    def __init__(self, parent: Mapping[str, str], data_bytes: int) -> None:
        """Start it. It says `Ready` when it is.

        Args:
            parent: the environment of this process.
            data_bytes: the bound of the child's memory.

        Raises:
            OSError: the system does not start it.

        """
        self.events: Queue[tuple[object, bytes]] = Queue(_WAITING_EVENTS)
        """The messages that it sent, in order; `Lost` is the last one."""
        self.ended_by_us = False
        self.over_memory = False
        """Whether it was ended since it held more memory than `data_bytes`."""
        self._errors = b""
        self._exit = Future[int]()
        self._reaping = Lock()
        """Its number is free for another process when it was reaped, before `_exit` is set."""
        started = Future[subprocess.Popen[bytes]]()
        own, its = socket.socketpair()
        for end in (own, its):
            end.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, _SEND_BUFFER_BYTES)
        with its:
            self.channel = Channel(own, FROM_CHILD, FRAME_SECONDS)
            keep = (dict(parent), data_bytes, its.fileno(), started)
            Thread(target=self._keep, args=keep, name="audit-child", daemon=True).start()
            try:
                self._process = started.result()
            except BaseException:
                self.channel.close()
                raise
        Thread(target=self._receive, name="audit-child-receive", daemon=True).start()
        if not MEMORY_IS_LIMITED:
            watch = Thread(target=self._watch, args=(data_bytes,), name="audit-child-watch")
            watch.daemon = True
            watch.start()

    @property
    def is_idle(self) -> bool:
        """Whether it runs, and sent nothing that nobody asked for."""
        return self.events.empty() and not self._exit.done()

    @property
    def pid(self) -> int:
        """Of the process, running or not."""
        return self._process.pid

    @property
    def stderr(self) -> str:
        """The end of its standard error, at most 4 KiB. Untrusted, so for the log only."""
        return self._errors.decode(errors="replace")

    def usage(self) -> Usage | None:
        """What it uses now."""
        return usage(self.pid)

    def exit_status(self) -> int | None:
        """As `subprocess` has it, a signal as a negative number; None when it still runs after a
        moment.
        """
        return self._status(_END_SECONDS)

    def _status(self, seconds: float) -> int | None:
        with suppress(TimeoutError):
            return self._exit.result(seconds)
        return None

    def end(self) -> int | None:
        """End it with all that it started, and give its exit status. May be called again."""
        self.ended_by_us = True
        self._kill()
        self.channel.shut()
        return self.exit_status()

    def _kill(self) -> None:
        with self._reaping, suppress(ProcessLookupError):
            if not self._exit.done():
                os.killpg(self.pid, signal.SIGKILL)

    def _keep(
        self,
        parent: Mapping[str, str],
        data_bytes: int,
        socket_fd: int,
        started: "Future[subprocess.Popen[bytes]]",
    ) -> None:
        try:
            process = _start(parent, data_bytes, socket_fd)
        except BaseException as error:  # noqa: BLE001 - whoever waits for the start raises it
            started.set_exception(error)
            return
        started.set_result(process)
        assert process.stderr  # noqa: S101 - a pipe was asked for
        with process.stderr as stream:
            while some := os.read(stream.fileno(), _STDERR_BYTES):
                self._errors = (self._errors + some)[-_STDERR_BYTES:]
        with suppress(ChildProcessError):  # the system reaps it, where SIGCHLD is ignored
            os.waitid(os.P_PID, process.pid, os.WEXITED | os.WNOWAIT)
        with self._reaping:
            self._exit.set_result(process.wait())

    def _watch(self, data_bytes: int) -> None:
        """Do what RLIMIT_DATA does elsewhere, as far as looking now and then can."""
        while self._status(_WATCH_SECONDS) is None:
            used = self.usage()
            if used and used.resident_bytes > data_bytes:
                self.over_memory = True
                self._kill()

    def _receive(self) -> None:
        lost = Lost("", broke_protocol=False)
        try:
            while True:
                self._put(self.channel.receive())
        except ProtocolError as error:
            lost = Lost(str(error), broke_protocol=True)
        except ChannelLost as error:
            lost = Lost(str(error), broke_protocol=False)
        finally:
            self.channel.close()
            self._put((lost, b""))

    def _put(self, event: tuple[object, bytes]) -> None:
        """Hand an event over. When the child was ended, perhaps nobody takes any more. Somebody may
        yet wait for `Lost`: so the oldest event is dropped, not this one.
        """
        while True:
            with suppress(Full):
                self.events.put(event, timeout=_HANDOVER_SECONDS)
                return
            if self.ended_by_us:
                with suppress(Empty):
                    self.events.get_nowait()


def _start(parent: Mapping[str, str], data_bytes: int, socket_fd: int) -> "subprocess.Popen[bytes]":
    """Start it in an empty folder, and remove the folder at once. So nobody can put a file into the
    folder, and no folder is left behind, however either process ends.
    """
    folder = tempfile.mkdtemp(prefix="gem-audit-")
    words = environment.command(socket_fd=socket_fd, parent_pid=os.getpid(), data_bytes=data_bytes)
    try:
        return subprocess.Popen(  # noqa: S603 - our own module
            words,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
            bufsize=0,
            cwd=folder,
            env=environment.environment(parent, sys.path, folder),
            close_fds=True,
            pass_fds=(socket_fd,),
            start_new_session=True,  # Ctrl-C at a terminal goes to the parent alone
        )
    finally:
        with suppress(OSError):
            Path(folder).rmdir()
