"""A blob service with one blob on a loopback port, with scripted faults or the speed of a network.

It implements the part of the Blob protocol that the real SDK needs for reading. As a program,
`python -m devkit.blob_server FILE`, it serves a file until its standard input ends. It prints its
address at the start, and the list of all requests as JSON at the end.
"""

import argparse
import json
import mmap
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread
from typing import Any, NamedTuple
from urllib.parse import urlsplit

from azure.storage.blob import ContainerClient

CONTAINER = "default"
NAME = "roads_matched.parquet"
SIGNATURE = "sv=2024-11-04&sig=SECRETSIGNATURE"

_SLICE_BYTES = 256 << 10
"""Bytes that are sent at once when the rate is limited: about 4 ms at 60 MB/s."""


class Asked(NamedTuple):
    """One request."""

    method: str
    range: str | None
    if_match: str | None


@dataclass(frozen=True, slots=True)
class Fault:
    """A fault of one answer."""

    refusal: tuple[int, str] | None = None
    """Answer with this status and error code instead; a proxy gives no code."""
    lost_bytes: int = 0
    """Omit this number of bytes at the end of the body and close the connection."""
    ignores_ranges: bool = False
    """Answer with the whole blob, as a server that does not know ranges."""
    other_range: bool = False
    """Answer with the bytes after those that were asked for."""
    ignores_condition: bool = False
    """Answer whatever version was asked for, as a cache that does not know conditions."""


def _none(_: Asked) -> Fault | None:
    return None


@dataclass
class Blob:
    """The blob, its faults and its requests."""

    data: bytes | mmap.mmap = b""
    etag: str = "0x8D1"
    version_id: str | None = None
    content_encoding: str | None = None
    """Stored with the blob; the server does not look at it."""
    fault: Callable[[Asked], Fault | None] = _none
    """Called in the thread of each request, before the answer."""
    latency_seconds: float = 0.0
    """Delay before the first byte of each answer."""
    bytes_per_second: float | None = None
    """Limit for each connection; None for no limit."""
    requests: list[Asked] = field(default_factory=list)


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    server: "_Server"

    def do_HEAD(self) -> None:
        self._answer(0, len(self.server.blob.data), 200)

    def do_GET(self) -> None:
        size = len(self.server.blob.data)
        first, _, last = (self._range() or "bytes=0-").removeprefix("bytes=").partition("-")
        self._answer(int(first), min(int(last or size) + 1, size), 206)

    def _range(self) -> str | None:
        return self.headers.get("x-ms-range") or self.headers.get("Range")

    def _answer(self, start: int, end: int, status: int) -> None:
        blob = self.server.blob
        asked = Asked(self.command, self._range(), self.headers.get("If-Match"))
        blob.requests.append(asked)
        time.sleep(blob.latency_seconds)
        fault = blob.fault(asked) or Fault()
        etag = blob.etag  # once: another request may replace the blob meanwhile
        if refusal := self._refusal(asked, fault, start, etag):
            self._refuse(*refusal)
            return
        if fault.ignores_ranges:
            start, end, status = 0, len(blob.data), 200
        elif fault.other_range:
            start, end = start + 1, end + 1
        self.send_response(status)
        self.send_header("x-ms-request-id", "1")
        self.send_header("ETag", f'"{etag}"')
        self.send_header("Last-Modified", "Tue, 20 Jan 2026 10:25:00 GMT")
        self.send_header("Content-Length", str(end - start))
        if not fault.ignores_ranges:
            self.send_header("Content-Range", f"bytes {start}-{end - 1}/{len(blob.data)}")
        if blob.content_encoding:
            self.send_header("Content-Encoding", blob.content_encoding)
        self.send_header("x-ms-blob-type", "BlockBlob")
        if blob.version_id:
            self.send_header("x-ms-version-id", blob.version_id)
        self.end_headers()
        if self.command == "HEAD":
            return
        with (
            memoryview(blob.data) as data,
            data[start : max(start, end - fault.lost_bytes)] as body,
        ):
            self._send(body)
        self.close_connection = bool(fault.lost_bytes)

    def _refusal(self, asked: Asked, fault: Fault, start: int, etag: str) -> tuple[int, str] | None:
        blob = self.server.blob
        if not urlsplit(self.path).path.endswith(f"/{CONTAINER}/{NAME}"):
            return 404, "BlobNotFound"
        if not fault.ignores_condition and asked.if_match not in {None, f'"{etag}"'}:
            return 412, "ConditionNotMet"
        if not fault.refusal and asked.method == "GET" and start >= len(blob.data):
            return 416, "InvalidRange"
        return fault.refusal

    def _refuse(self, status: int, code: str) -> None:
        self.send_response(status)
        self.send_header("x-ms-request-id", "1")
        if code:
            self.send_header("x-ms-error-code", code)
        self.send_header("Content-Length", "0")
        self.end_headers()

    def _send(self, body: memoryview) -> None:
        rate = self.server.blob.bytes_per_second
        if rate is None:
            self.wfile.write(body)
            return
        begun = time.monotonic()
        for sent in range(0, len(body), _SLICE_BYTES):
            self.wfile.write(body[sent : sent + _SLICE_BYTES])
            due = begun + min(sent + _SLICE_BYTES, len(body)) / rate
            time.sleep(max(0.0, due - time.monotonic()))

    def handle(self) -> None:
        try:
            super().handle()
        except ConnectionError:  # a client may close the connection at any time
            self.close_connection = True

    def log_message(self, *_: object) -> None:
        """Write no log."""


class _Server(ThreadingHTTPServer):
    def __init__(self, blob: Blob) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.blob = blob


_AT_ONCE: dict[str, Any] = {"initial_backoff": 0, "increment_base": 0, "random_jitter_range": 0}


@contextmanager
def serving(blob: Blob, retry_total: int = 0) -> Iterator[ContainerClient]:
    """A client of the container with the blob. It retries without delay."""
    with (
        _running(blob) as address,
        ContainerClient.from_container_url(
            address, retry_total=retry_total, **_AT_ONCE
        ) as container,
    ):
        yield container


@contextmanager
def _running(blob: Blob) -> Iterator[str]:
    """The address of the container, with a signature."""
    server = _Server(blob)
    thread = Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}/{CONTAINER}?{SIGNATURE}"
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


def main() -> None:
    """Serve a file with the speed of a network."""
    parser = argparse.ArgumentParser(prog="python -m devkit.blob_server", description=__doc__)
    parser.add_argument("file", type=Path)
    parser.add_argument(
        "--latency", type=float, default=0.02, help="seconds for each request (%(default)s)"
    )
    parser.add_argument("--rate", type=float, default=60e6, help="bytes per second (%(default)s)")
    chosen = parser.parse_args()
    with chosen.file.open("rb") as file:
        data = mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ)
    blob = Blob(data, latency_seconds=chosen.latency, bytes_per_second=chosen.rate)
    with _running(blob) as address:
        print(address, flush=True)
        sys.stdin.read()
        print(json.dumps(blob.requests), flush=True)


if __name__ == "__main__":
    main()
