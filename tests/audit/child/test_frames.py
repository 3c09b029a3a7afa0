"""Frames between parent and child: bounded, in time, and never more than they may be."""

import json
import socket
import struct
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress

import pytest

from gem_core.audit.child.frames import (
    MAX_BODY_BYTES,
    MAX_JSON_BYTES,
    Channel,
    ChannelLost,
    ProtocolError,
)
from gem_core.audit.child.messages import Crashed, RangeRead, ReadRange, Result
from gem_core.audit.child.plain import to_plain
from gem_core.audit.child.result import AuditResult
from gem_core.outcome import Outcome

MESSAGE = ReadRange(1, 0, 2, 3)


@pytest.fixture
def ends() -> Iterator[tuple[Channel, socket.socket]]:
    """The parent's channel, and a bare socket in the place of the child."""
    own, its = socket.socketpair()
    channel = Channel(own, [ReadRange, Crashed, Result], 30)
    with its:
        yield channel, its
    channel.close()


def frame(value: object, body: bytes = b"") -> bytes:
    text = value if isinstance(value, bytes) else json.dumps(value).encode()
    return struct.pack("!II", len(text), len(body)) + text + body


PLAIN = {"kind": "ReadRange", "value": {"id": 1, "file": 0, "offset": 2, "length": 3}}


VERDICT = Result(AuditResult(Outcome.VALID, {"share": 0.5}, "", 1, 1.0, 0, 0))
NOT_JSON = json.dumps({"kind": "Result", "value": to_plain(VERDICT)}).replace("0.5", "NaN").encode()


@pytest.mark.parametrize("seconds", [30, None])
def test_what_is_sent_is_received(seconds: float | None) -> None:
    one, other = socket.socketpair()
    sender, receiver = Channel(one, [], seconds), Channel(other, [ReadRange, RangeRead], seconds)
    body = bytes(range(256)) * (MAX_BODY_BYTES // 256)
    with ThreadPoolExecutor(1) as pool:
        sent = [pool.submit(sender.send, RangeRead(7), body), pool.submit(sender.send, MESSAGE)]
        assert receiver.receive() == (RangeRead(7), body)
        assert receiver.receive() == (MESSAGE, b"")
        assert [each.result() for each in sent] == [None, None]
    sender.close()
    with pytest.raises(ChannelLost):
        receiver.receive()
    receiver.close()


def test_both_ends_may_send_at_the_same_time() -> None:
    """Each fills its buffers: that is no deadlock, since one thread of each only receives."""
    pair = [Channel(end, [RangeRead], 30) for end in socket.socketpair()]
    body = bytes(8 << 20)
    with ThreadPoolExecutor(4) as pool:
        received = [pool.submit(channel.receive) for channel in pair]
        for sent in [pool.submit(channel.send, RangeRead(1), body) for channel in pair]:
            sent.result()
        assert [each.result() for each in received] == [(RangeRead(1), body)] * 2
    for channel in pair:
        channel.close()


@pytest.mark.parametrize(
    "sent",
    [
        struct.pack("!II", MAX_JSON_BYTES + 1, 0),
        struct.pack("!II", 2, MAX_BODY_BYTES + 1),
        struct.pack("!II", 2, 1 << 30) + b"{}",
        frame(b"{"),
        frame(b"\xff"),
        frame([]),
        frame({}),
        frame({"kind": "Ready", "value": {}}),
        frame({"kind": [], "value": {}}),
        frame({"kind": "ReadRange", "value": {"id": 1}}),
        frame(PLAIN | {"value": {"id": "1", "file": 0, "offset": 2, "length": 3}}),
        frame(NOT_JSON),
        frame(b'{"kind": "Crashed", "value": ' + b"[" * 200_000),
        frame(b'{"kind": "ReadRange", "value": {"id": ' + b"9" * 5000 + b"}}"),
    ],
    ids=lambda sent: f"{sent[:8].hex()} {sent[8:60]!r}",
)
def test_what_is_no_message_breaks_the_protocol(
    sent: bytes, ends: tuple[Channel, socket.socket]
) -> None:
    channel, its = ends
    with ThreadPoolExecutor(1) as pool:
        pool.submit(its.sendall, sent)
        with pytest.raises(ProtocolError):
            channel.receive()


@pytest.mark.parametrize("count", [0, 3, 8, 20])
def test_a_stream_that_ends_is_lost(count: int, ends: tuple[Channel, socket.socket]) -> None:
    channel, its = ends
    its.sendall(frame(PLAIN)[:count])
    its.shutdown(socket.SHUT_RDWR)
    with pytest.raises(ChannelLost):
        channel.receive()


def test_a_frame_that_does_not_end_in_time_is_lost() -> None:
    own, its = socket.socketpair()
    channel = Channel(own, [ReadRange], 0.01)
    with its:
        its.sendall(frame(PLAIN)[:20])
        with pytest.raises(ChannelLost, match="did not end in time"):
            channel.receive()
    channel.close()


def test_a_frame_that_nobody_receives_is_lost() -> None:
    own, its = socket.socketpair()
    channel = Channel(own, [], 0.01)
    with its, pytest.raises(ChannelLost, match="nothing can be sent"):
        channel.send(MESSAGE, bytes(16 << 20))
    channel.close()


def test_nothing_follows_a_frame_that_did_not_go_out_whole() -> None:
    """The other end would take the bytes of the next frame for the rest of this one. Another thread
    may send at once, and the other end receive again.
    """
    own, its = socket.socketpair()
    channel = Channel(own, [], 0.01)
    with its:
        with pytest.raises(ChannelLost):
            channel.send(MESSAGE, bytes(16 << 20))
        its.settimeout(0.01)
        with suppress(TimeoutError):
            while its.recv(1 << 20):
                pass
        with pytest.raises(ChannelLost):
            channel.send(MESSAGE)
    channel.close()


def test_a_frame_may_begin_at_any_time() -> None:
    """A child may be busy as long as it likes; only a frame that began has to end."""
    own, its = socket.socketpair()
    channel = Channel(own, [ReadRange], 0.01)
    with its, ThreadPoolExecutor(1) as pool:
        received = pool.submit(channel.receive)
        with pytest.raises(TimeoutError):
            received.result(timeout=0.1)
        its.sendall(frame(PLAIN))
        assert received.result() == (MESSAGE, b"")
    channel.close()


def test_what_is_too_long_is_not_sent(ends: tuple[Channel, socket.socket]) -> None:
    channel, _ = ends
    with pytest.raises(ProtocolError):
        channel.send(MESSAGE, bytes(MAX_BODY_BYTES + 1))
    with pytest.raises(ProtocolError):
        channel.send(Crashed("x" * MAX_JSON_BYTES))
