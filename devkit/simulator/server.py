"""An HTTP/1.1 server on loopback. `routes.py` decides the responses."""

import socket
import struct
import sys
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Event, Lock, Thread
from typing import Any, override
from urllib.parse import urlsplit

from devkit.simulator.life import Trouble
from devkit.simulator.routes import Request, Response, Routes, error

HOST = "127.0.0.1"
MOST_BYTES = 1 << 20
"""Maximum size of a request body."""
_LINGER_NOT = struct.pack("ii", 1, 0)
"""SO_LINGER with zero seconds: closing the socket sends a reset."""


class SimulatorServer(ThreadingHTTPServer):
    """Serves until `stop`, which also closes persistent connections."""

    def __init__(self, routes: Routes, *, port: int, hold_seconds: float) -> None:
        self.routes = routes
        self.hold_seconds = hold_seconds
        self.stopping = Event()
        self._open: dict[socket.socket, Thread] = {}
        self._resets: set[socket.socket] = set()
        self._open_lock = Lock()
        super().__init__((HOST, port), _Handler)
        self._thread = Thread(
            target=self.serve_forever, kwargs={"poll_interval": 0.01}, name="gem-simulator"
        )
        self._thread.daemon = True

    def start(self) -> None:
        """Start to serve in a thread."""
        self._thread.start()

    def stop(self) -> None:
        """Stop the server, all connections and their threads."""
        self.stopping.set()
        self.shutdown()
        self._thread.join()
        with self._open_lock:
            still_open = dict(self._open)
        for connection, thread in still_open.items():
            _hang_up(connection)
            thread.join()
        self.server_close()

    def reset(self, connection: socket.socket) -> None:
        """Close the connection with a reset."""
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _LINGER_NOT)
        self._resets.add(connection)

    @override
    def process_request(self, request: Any, client_address: Any) -> None:
        # Known before its thread begins, so that `stop` misses none.
        address = (request, client_address)
        thread = Thread(target=self.process_request_thread, args=address, daemon=True)
        with self._open_lock:
            self._open[request] = thread
        thread.start()

    @override
    def process_request_thread(self, request: Any, client_address: Any) -> None:
        try:
            super().process_request_thread(request, client_address)
        finally:
            with self._open_lock:
                self._open.pop(request, None)

    @override
    def shutdown_request(self, request: Any) -> None:
        if request in self._resets:
            self._resets.discard(request)
            self.close_request(request)
        else:
            super().shutdown_request(request)

    @override
    def handle_error(self, request: Any, client_address: Any) -> None:
        # A client may go away at any time; anything else is a mistake in the simulator.
        if not isinstance(sys.exception(), OSError):
            super().handle_error(request, client_address)


class _Handler(BaseHTTPRequestHandler):
    server: SimulatorServer
    protocol_version = "HTTP/1.1"
    # Headers and body are written separately. Nagle's algorithm would delay the second write.
    disable_nagle_algorithm = True

    def _serve(self) -> None:
        body = self._body()
        if body is None:
            self.close_connection = True
            message = f"a body of at most {MOST_BYTES} bytes with Content-Length is expected"
            self._send(error(HTTPStatus.BAD_REQUEST, message))
            return
        address = urlsplit(self.path)
        headers = {name.lower(): value for name, value in self.headers.items()}
        response = self.server.routes.answer(
            Request(self.command, address.path, headers, body, address.query)
        )
        match response.trouble:
            case Trouble.RESET:
                self.close_connection = True
                self.server.reset(self.connection)
            case Trouble.NO_ANSWER:
                self.close_connection = True
                self.server.stopping.wait(self.server.hold_seconds)
            case _:
                self._send(response)

    # http.server requires these names.
    do_GET = do_HEAD = do_POST = do_PUT = do_PATCH = do_DELETE = _serve  # noqa: N815 - as above

    def _body(self) -> bytes | None:
        """The complete body, so that the next request can be read; None if it cannot be read."""
        length = self.headers.get("Content-Length", "0")
        fits = length.isascii() and length.isdigit() and int(length[:9]) <= MOST_BYTES
        if not fits or "Transfer-Encoding" in self.headers:
            return None
        return self.rfile.read(int(length))

    def _send(self, response: Response) -> None:
        self.send_response(response.status)
        for name, value in response.headers.items():
            self.send_header(name, value)
        if response.status != HTTPStatus.NO_CONTENT:
            self.send_header("Content-Type", response.content_type)
            self.send_header("Content-Length", str(len(response.body)))
        if self.close_connection:
            self.send_header("Connection", "close")
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(response.body)

    @override
    def log_message(self, format: str, *args: Any) -> None:
        """Write nothing: the log is `Routes.log`."""


def _hang_up(connection: socket.socket) -> None:
    try:
        connection.shutdown(socket.SHUT_RDWR)
    except OSError:
        # The connection was already closed.
        return
