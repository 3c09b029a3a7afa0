"""Messages over a socket: JSON of bounded size, and bytes beside it. Edge: socket, clock.

A frame has three parts. First come the length of the JSON and that of the body, four bytes each,
most significant first. Then comes the JSON, `{"kind": …, "value": …}`, and then the body. Nothing
is unpickled. One thread of each end does nothing but receive, so both ends may send at the same
time.
"""

import json
import select
import socket
import struct
import time
from collections.abc import Iterable
from contextlib import suppress
from threading import Lock
from typing import NoReturn

from gem_core.audit.child.plain import from_plain, to_plain

MAX_JSON_BYTES = 8 << 20
MAX_BODY_BYTES = 16 << 20

_LENGTHS = struct.Struct("!II")


class ProtocolError(Exception):
    """The other end sent what it may not send."""


class ChannelLost(Exception):
    """The other end is gone, or did not receive or send a whole frame in time."""


class Channel:
    """One end of the connection. Several threads may send; one may receive."""

    def __init__(self, end: socket.socket, accepted: Iterable[type], seconds: float | None) -> None:
        """Take over the socket.

        Args:
            end: of a connected pair of stream sockets.
            accepted: the types of message that the other end may send.
            seconds: the longest that a frame may take to be sent, or to be received once it has
                begun; None is for ever.

        """
        self._end = end
        self._end.settimeout(seconds)
        self._poll = select.poll()
        self._poll.register(self._end, select.POLLIN)
        self._kinds = {kind.__name__: kind for kind in accepted}
        self._seconds = seconds
        self._sending = Lock()

    def shut(self) -> None:
        """End the stream in both directions: threads that send or receive see it at once."""
        with suppress(OSError):  # the other end was first
            self._end.shutdown(socket.SHUT_RDWR)

    def close(self) -> None:
        """Give the socket back. Only the thread that receives may do so, when it has ended."""
        self.shut()
        with self._sending:
            self._end.close()

    def send(self, message: object, body: bytes = b"") -> None:
        """Send a frame.

        Raises:
            ChannelLost: the frame did not go out whole. The stream has ended: another thread may
                wait to send, and the other end would take its bytes for the rest of this frame.

        """
        plain = {"kind": type(message).__name__, "value": to_plain(message)}
        text = json.dumps(plain, allow_nan=False, separators=(",", ":")).encode()
        if len(text) > MAX_JSON_BYTES or len(body) > MAX_BODY_BYTES:
            raise ProtocolError(f"a frame of {len(text)} and {len(body)} bytes is too long")
        with self._sending:
            try:
                self._end.sendall(_LENGTHS.pack(len(text), len(body)) + text)
                self._end.sendall(body)
            except OSError as error:
                self.shut()
                raise ChannelLost(f"nothing can be sent: {error}") from None

    def receive(self) -> tuple[object, bytes]:
        """Wait for the next frame.

        Raises:
            ProtocolError: it is too long, no message, or none that the other end may send.
            ChannelLost: the stream ended, or a frame that began did not end in time.

        """
        try:
            self._readable(None)
            ends = None if self._seconds is None else time.monotonic() + self._seconds
            text_length, body_length = _LENGTHS.unpack(self._exactly(_LENGTHS.size, ends))
            if text_length > MAX_JSON_BYTES or body_length > MAX_BODY_BYTES:
                raise ProtocolError(f"a frame of {text_length} and {body_length} bytes is too long")
            text = self._exactly(text_length, ends)
            return self._message(text), self._exactly(body_length, ends)
        except OSError as error:
            raise ChannelLost(f"nothing can be received: {error}") from None

    def _exactly(self, length: int, ends: float | None) -> bytes:
        """So many bytes. Without a deadline they come in one piece, so that they are not copied."""
        parts: list[bytes] = []
        while length:
            self._readable(ends)
            part = self._end.recv(length, socket.MSG_WAITALL)
            if not part:
                raise ChannelLost("the stream ended")
            parts.append(part)
            length -= len(part)
        return parts[0] if len(parts) == 1 else b"".join(parts)

    def _readable(self, ends: float | None) -> None:
        """Wait until something can be received. The socket's own timeout is for sending."""
        if self._seconds is None:
            return
        left = None if ends is None else max(0.0, ends - time.monotonic()) * 1000
        if not self._poll.poll(left):
            raise ChannelLost("a frame began and did not end in time")

    def _message(self, text: bytes) -> object:
        try:
            plain = json.loads(text, parse_constant=_refuse)
            kind, value = plain["kind"], plain["value"]
            return from_plain(self._kinds[kind], value)
        except (ValueError, KeyError, TypeError, RecursionError) as error:
            raise ProtocolError(f"not a message: {type(error).__name__}: {error}"[:200]) from None


def _refuse(constant: str) -> NoReturn:
    raise ValueError(f"{constant} is not JSON")
