"""A loopback server that sends any bytes, HTTP or not, and counts how many were received."""

import contextlib
import socket
from collections.abc import Callable
from functools import partial
from threading import Event, Thread
from types import TracebackType
from typing import Self

type Write = Callable[[bytes], None]
type Sender = Callable[[Write, Event], None]
"""Sends an answer; the event is set when the test is over."""


class RawServer:
    """A context manager; sends the same answer to every request."""

    def __init__(self, send: Sender) -> None:
        self._send = send
        self._over = Event()
        self._listener = socket.create_server(("127.0.0.1", 0))
        self._thread = Thread(target=self._serve, daemon=True)
        self.sent = 0
        """Bytes that the client, or its operating system, has received."""

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self._listener.getsockname()[1]}"

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._over.set()
        self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        self._thread.join()

    def _serve(self) -> None:
        with contextlib.suppress(OSError):
            while True:
                connection, _ = self._listener.accept()
                with connection, contextlib.suppress(OSError):  # the client may leave
                    _take(connection)
                    self._send(partial(self._write, connection), self._over)

    def _write(self, connection: socket.socket, data: bytes) -> None:
        connection.sendall(data)
        self.sent += len(data)


def _take(connection: socket.socket) -> None:
    """Read the whole request. To close a connection with unread bytes resets it, and the client may
    lose the answer.
    """
    length = 0
    with connection.makefile("rb") as request:
        while line := request.readline().strip():
            name, _, value = line.partition(b":")
            if name.lower() == b"content-length":
                length = int(value)
        request.read(length)
