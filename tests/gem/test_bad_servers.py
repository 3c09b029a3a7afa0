"""Servers that are slow, stop early or never stop: answers have limits of time and size."""

import gzip
import resource
from functools import partial
from threading import Event

import pytest

from gem_core.errors import GemAnswerError, GemError, GemUnavailable
from gem_core.gem.client import MAX_ANSWER_BYTES, GemClient
from gem_core.secret import Secret
from tests.builders import JOB
from tests.gem.build import GOOD, Tokens
from tests.gem.raw_server import RawServer, Sender, Write

OK = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n"
WHOLE = OK + f"Content-Length: {len(GOOD.body)}\r\n\r\n".encode() + GOOD.body
MIB = 1 << 20
HUGE = 100 * MIB
BYTE_SECONDS = 0.05
"""Far below the read timeout, so that only the deadline for the whole answer applies."""


def error_of(send: Sender, *, kind: type[GemError], seconds: float = 60) -> tuple[GemError, int]:
    """The error that an answer leads to, and how many bytes of it were received."""
    with RawServer(send) as server:
        client = GemClient(
            server.url,
            api_key=Secret("key"),
            token=Tokens(),
            read_seconds=60,
            answer_seconds=seconds,
        )
        with client, pytest.raises(kind) as caught:
            client.get_job(JOB)
    assert type(caught.value) is kind
    return caught.value, server.sent


def slowly(write: Write, over: Event, *, at_once: int) -> None:
    """Send a good answer, byte by byte after the first `at_once` bytes."""
    write(WHOLE[:at_once])
    for place in range(at_once, len(WHOLE)):
        if over.wait(BYTE_SECONDS):
            return
        write(WHOLE[place : place + 1])


@pytest.mark.parametrize(
    "at_once",
    [0, 20, len(OK) + 5, len(WHOLE) - 200],
    ids=["status line", "header name", "header value", "body"],
)
def test_an_answer_that_takes_too_long_is_abandoned(at_once: int) -> None:
    """Each byte comes well within the read timeout."""
    send = partial(slowly, at_once=at_once)
    assert "no answer from GEM" in str(error_of(send, kind=GemUnavailable, seconds=0.3)[0])


def test_a_server_that_sends_nothing_is_abandoned() -> None:
    error_of(lambda _, over: (over.wait(), None)[1], kind=GemUnavailable, seconds=0.3)


def test_a_slow_answer_within_its_time_is_read() -> None:
    send = partial(slowly, at_once=len(WHOLE) - 3)
    with RawServer(send) as server:
        client = GemClient(server.url, api_key=Secret("key"), token=Tokens(), answer_seconds=60)
        with client:
            assert client.get_job(JOB).status_text == "finished"


@pytest.mark.parametrize(
    "text",
    [
        b"",
        b"HTTP/1.1 2",
        WHOLE[:-1],
        WHOLE[: -len(GOOD.body)],
        OK + b"Transfer-Encoding: chunked\r\n\r\n20\r\n{",
        OK + b"Transfer-Encoding: chunked\r\n\r\nzz\r\n{",
        OK + b"Content-Encoding: gzip\r\nContent-Length: 5\r\n\r\nplain",
        b"SSH-2.0-OpenSSH_9.2\r\n",
        b"HTTP/1.1 200 OK\r\nX: " + b"y" * 70_000,
        b"HTTP/1.1 200 OK\r\n" + b"X: y\r\n" * 200 + b"\r\n",
    ],
    ids=lambda text: repr(text[-12:]),
)
def test_an_answer_that_stops_or_is_none_says_nothing_about_the_job(text: bytes) -> None:
    """The connection is closed in the ordinary way, half-way through."""
    error_of(lambda write, _: write(text), kind=GemUnavailable)


def test_headers_that_stop_are_an_answer_without_a_job() -> None:
    """http.client takes the end of the connection for the end of the headers."""
    error_of(lambda write, _: write(WHOLE[: len(OK) - 4]), kind=GemAnswerError)


def flood(write: Write, over: Event, *, head: bytes, piece: bytes) -> None:
    write(head)
    for _ in range(HUGE // MIB):
        if over.is_set():
            return
        write(piece)


@pytest.mark.parametrize("status", [b"200 OK", b"500 Internal Server Error"])
@pytest.mark.parametrize(
    ("header", "piece"),
    [
        (b"Content-Length: %d" % HUGE, b" " * MIB),
        (b"Transfer-Encoding: chunked", b"%x\r\n" % MIB + b" " * MIB + b"\r\n"),
        (b"Connection: close", b" " * MIB),
    ],
    ids=["length", "chunked", "until closed"],
)
def test_a_hundred_megabytes_are_not_read(status: bytes, header: bytes, piece: bytes) -> None:
    head = b"HTTP/1.1 " + status + b"\r\n" + header + b"\r\n\r\n"
    send = partial(flood, head=head, piece=piece)
    error, sent = error_of(send, kind=GemAnswerError)
    assert "longer than" in str(error)
    # What was taken beyond the limit lay in the buffers of the two systems.
    assert sent < MAX_ANSWER_BYTES + 32 * MIB


def test_headers_without_end_are_not_read() -> None:
    send = partial(flood, head=b"HTTP/1.1 200 OK\r\nX: ", piece=b"y" * MIB)
    assert error_of(send, kind=GemUnavailable)[1] < 32 * MIB


@pytest.mark.parametrize("location", [b"http://127.0.0.1:1/", b"http://[", b"http://:x:y", b"\xff"])
@pytest.mark.parametrize(
    ("header", "piece"),
    [
        (b"Content-Length: %d" % HUGE, b" " * MIB),
        (b"Content-Encoding: gzip\r\nConnection: close", gzip.compress(b" " * (64 * MIB)) * 19),
    ],
    ids=["length", "inflates to 1.2 GB"],
)
def test_a_redirect_is_an_answer_like_any_other(
    location: bytes, header: bytes, piece: bytes
) -> None:
    """It is not followed, whatever its address is; its body is not read beyond the limit."""
    head = b"HTTP/1.1 302 Found\r\nLocation: " + location + b"\r\n" + header + b"\r\n\r\n"
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    error, sent = error_of(partial(flood, head=head, piece=piece), kind=GemAnswerError)
    assert "longer than" in str(error)
    assert sent < MAX_ANSWER_BYTES + 32 * MIB
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < 100 * 1024  # KiB
