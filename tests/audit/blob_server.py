"""A blob service with one blob on a loopback port, scripted to misbehave; the SDK is real."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread

from azure.storage.blob import ContainerClient

SIGNATURE = "sv=2024-11-04&sig=SECRETSIGNATURE"


@dataclass
class Blob:
    """The one blob, and what happened to it."""

    data: bytes = b""
    etag: str = "0x8D1"
    version_id: str | None = None
    refusal: tuple[int, str] | None = None
    """Status and error code with which every request is answered."""
    lost_bytes: int = 0
    """How many bytes of each body never come."""
    requests: list[tuple[str, str | None, str | None]] = field(default_factory=list)
    """Method, range and If-Match of each request."""


@contextmanager
def serving(blob: Blob) -> Iterator[ContainerClient]:
    """The container that holds the blob as roads_matched.parquet."""

    class Handler(BaseHTTPRequestHandler):
        def do_HEAD(self) -> None:
            self._answer(blob.data, 200)

        def do_GET(self) -> None:
            first, last = self.headers["x-ms-range"].removeprefix("bytes=").split("-")
            self._answer(blob.data[int(first) : int(last) + 1], 206)

        def _answer(self, data: bytes, status: int) -> None:
            match = self.headers.get("If-Match")
            blob.requests.append((self.command, self.headers.get("x-ms-range"), match))
            refusal = blob.refusal
            if not self.path.startswith("/default/roads_matched.parquet?"):
                refusal = (404, "BlobNotFound")
            elif match not in {None, f'"{blob.etag}"'}:
                refusal = (412, "ConditionNotMet")
            if refusal:
                status, code = refusal
                self.send_response(status)
                self.send_header("x-ms-error-code", code)
                self.send_header("Content-Length", "0")
                self.end_headers()
                return
            self.send_response(status)
            self.send_header("ETag", f'"{blob.etag}"')
            self.send_header("Last-Modified", "Tue, 20 Jan 2026 10:25:00 GMT")
            self.send_header("Content-Length", str(len(data)))
            self.send_header("Content-Range", f"bytes 0-0/{len(blob.data)}")
            self.send_header("x-ms-blob-type", "BlockBlob")
            if blob.version_id:
                self.send_header("x-ms-version-id", blob.version_id)
            self.end_headers()
            if self.command == "GET":
                self.wfile.write(data[: len(data) - blob.lost_bytes])

        def log_message(self, *_: object) -> None:
            """Quiet."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    address = f"http://127.0.0.1:{server.server_port}/default?{SIGNATURE}"
    try:
        with ContainerClient.from_container_url(address, retry_total=0) as container:
            yield container
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
