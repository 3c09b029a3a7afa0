"""Serves pages on this machine to the person who started the command, and to nobody else.

Edge: network, browser.

Other users of the machine can connect too, so each address begins with a secret token. A web page
that names this server with a host name of its own (DNS rebinding) is refused by its Host header.
"""

import hmac
import secrets
import webbrowser
from collections.abc import Callable, Mapping
from contextlib import contextmanager, suppress
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, override
from urllib.parse import parse_qsl, unquote, urlsplit

from gem_core.commands.terminal import print_json, print_lines
from gem_core.errors import CourierError, DocumentMissing, RequestError
from gem_core.failure import own_words
from gem_core.redaction import redacted
from gem_core.web import DOCUMENT_HEADERS, HttpResponse

if TYPE_CHECKING:
    from collections.abc import Iterator

type Respond = Callable[[str, Mapping[str, str]], HttpResponse]
"""From the path behind the token, without a slash before it, and the query to a response."""

_HOST = "127.0.0.1"


class LoopbackServer(ThreadingHTTPServer):
    """A server on 127.0.0.1. Raises RequestError if the port is in use."""

    daemon_threads = True

    def __init__(self, respond: Respond, *, port: int = 0) -> None:
        self.respond = respond
        self.token = secrets.token_urlsafe(24)
        try:
            super().__init__((_HOST, port), _Handler)
        except OSError as error:
            raise RequestError(f"--port {port}: {error.strerror}") from None

    @property
    def address(self) -> str:
        """The address of the first page; everyone who knows it can read all pages."""
        return f"http://{_HOST}:{self.server_port}/{self.token}/"


def serve(respond: Respond, *, port: int, with_browser: bool, as_json: bool) -> None:
    """Serve pages until Ctrl-C.

    Args:
        respond: makes the pages.
        port: 0 for any free one.
        with_browser: whether to open the first page in the browser.
        as_json: print the address as JSON.

    Raises:
        RequestError: the port is in use.

    """
    with (
        LoopbackServer(respond, port=port) as server,
        suppress(KeyboardInterrupt),  # from here on, whoever has read the address may press Ctrl-C
        _opened(server.address, with_browser),
    ):
        if as_json:
            print_json({"address": server.address}, indent=None)
        else:
            print_lines(
                [
                    server.address,
                    "Ctrl-C ends the server. Everyone who has this address can read its pages.",
                ]
            )
        server.serve_forever()


@contextmanager
def _opened(address: str, with_browser: bool) -> "Iterator[None]":  # noqa: FBT001 - private
    """Open the browser by a file that only this user can read.

    Other users can see the arguments of a browser's process, so the address is not one of them.
    """
    if not with_browser:
        yield
        return
    with TemporaryDirectory(prefix="gem-courier-") as folder:  # of mode 0700
        file = Path(folder) / "open.html"
        file.write_text(f'<meta http-equiv="refresh" content="0; url={address}">', "utf-8")
        webbrowser.open(file.as_uri())
        yield


class _Handler(BaseHTTPRequestHandler):
    server: LoopbackServer
    server_version = "gem-courier"
    sys_version = ""
    timeout = 30

    def do_GET(self) -> None:
        self._answer()

    def do_HEAD(self) -> None:
        self._answer()

    @override
    def log_message(self, format: str, *args: object) -> None:
        """Write nothing: an address has the token."""

    def _answer(self) -> None:
        response = self._response()
        body = response.body.encode() if isinstance(response.body, str) else response.body
        self.send_response(response.status)
        self.send_header("Content-Type", f"{response.content_type}; charset=utf-8")
        self.send_header("Content-Length", str(len(body)))
        for name, value in response.headers.items():
            self.send_header(name, value)
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(body)

    def _response(self) -> HttpResponse:
        own = {f"{name}:{self.server.server_port}" for name in (_HOST, "localhost")}
        if self.headers.get("Host", "") not in own:
            return _text(HTTPStatus.MISDIRECTED_REQUEST, "This server has another name.")
        parts = urlsplit(self.path)
        token, _, path = parts.path.removeprefix("/").partition("/")
        if not hmac.compare_digest(token.encode(), self.server.token.encode()):
            return _text(
                HTTPStatus.FORBIDDEN, "Open the whole address that the command has printed."
            )
        try:
            return self.server.respond(unquote(path), dict(parse_qsl(parts.query)))
        except DocumentMissing as error:
            return _text(HTTPStatus.NOT_FOUND, str(error))
        except CourierError as error:
            return _text(HTTPStatus.SERVICE_UNAVAILABLE, str(error))
        except Exception as error:  # noqa: BLE001 - the person gets an answer, and the server goes on
            return _text(HTTPStatus.INTERNAL_SERVER_ERROR, own_words(error))


def _text(status: HTTPStatus, text: str) -> HttpResponse:
    return HttpResponse(status, f"{redacted(text)}\n", "text/plain", DOCUMENT_HEADERS)
