"""The HTTP server of the runner: functions, admin endpoint, Event Grid webhook. Edge.

The admin endpoint and the webhook need the master key, as in Azure. There, the webhook also accepts
a key of its own.
"""

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import override

from devkit.runner.blob_message import BlobMessage
from devkit.runner.http_value import Request, Response, read_query
from devkit.runner.routes import AuthLevel, Keys, Route, path_segments
from devkit.runner.webhook import answer_webhook

_MAX_BODY_BYTES = 100 * 1024 * 1024
"""The host's default limit."""

_HOME = """This is a development runner, not the Azure Functions host (devkit/runner/README.md).
"""


@dataclass(frozen=True, slots=True)
class Site:
    """What can be asked over HTTP. Pure decisions; the effects are arguments."""

    routes: tuple[Route, ...]
    keys: Keys
    call: Callable[[Route, Request, Mapping[str, str]], Response]
    """Invoke the function of a route."""
    run: Mapping[str, Callable[[str], None]]
    """By name of a function without an HTTP trigger: starts it with the `input` of the admin
    request. Raises ValueError if the input is invalid."""
    post: Callable[[BlobMessage], None]

    def answer(self, request: Request) -> Response:
        """Handle one request."""
        segments = path_segments(request.path)
        match segments:
            case ("",) if request.method in {"GET", "HEAD"}:
                return Response.text(HTTPStatus.OK, _HOME)
            case ("admin", "functions", name) if request.method == "POST":
                return self._admin(name, request)
            case ("runtime", "webhooks", "blobs"):
                return self._webhook(request)
        for route in sorted(self.routes, key=lambda one: one.precedence):
            parameters = route.match(segments)
            if parameters is None or (route.methods and request.method not in route.methods):
                continue
            if not self.keys.open(route.level, request.key):
                return Response(HTTPStatus.UNAUTHORIZED)
            return self.call(route, request, parameters)
        # Also for a known path with another method, as in the host.
        return Response(HTTPStatus.NOT_FOUND)

    def _admin(self, name: str, request: Request) -> Response:
        if not self.keys.open(AuthLevel.ADMIN, request.key):
            return Response(HTTPStatus.UNAUTHORIZED)
        start = self.run.get(name)
        if start is None:
            return Response.text(HTTPStatus.NOT_FOUND, f"no function {name!r} without HTTP trigger")
        try:
            content = json.loads(request.body or b"{}")
            start(str(content.get("input") or ""))
        except (ValueError, AttributeError) as error:
            return Response.text(HTTPStatus.BAD_REQUEST, f'expected {{"input": "…"}}: {error}')
        return Response(HTTPStatus.ACCEPTED)

    def _webhook(self, request: Request) -> Response:
        if not self.keys.open(AuthLevel.ADMIN, request.key):
            is_functions = self.keys.open(AuthLevel.FUNCTION, request.key)
            return Response(HTTPStatus.FORBIDDEN if is_functions else HTTPStatus.UNAUTHORIZED)
        return answer_webhook(request, self.post)


class HttpServer(ThreadingHTTPServer):
    """Listens and passes each request to the site, with a thread for each connection."""

    daemon_threads = True

    def __init__(self, address: tuple[str, int]) -> None:
        """Bind the address. Requests are answered when `site` is set and `serve_forever` runs."""
        self.site: Site | None = None
        super().__init__(address, _Handler)

    @property
    def url(self) -> str:
        """The address of the server."""
        return f"http://{self.server_address[0]!s}:{self.server_address[1]}"

    @override
    def server_bind(self) -> None:
        # The library's version looks up the host name, which may take long and is not needed.
        self.socket.bind(self.server_address)
        self.server_address = self.socket.getsockname()
        self.server_name, self.server_port = "localhost", self.server_address[1]


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server_version = "DevelopmentRunner"
    sys_version = ""
    disable_nagle_algorithm = True
    server: HttpServer

    def handle_request(self) -> None:
        """Answer a request with any method."""
        refusal = self._refusal()
        if refusal:
            self.close_connection = True  # the body of the request was not read
            self._send(refusal)
            return
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        path, _, query = self.path.partition("?")
        names = dict.fromkeys(name.lower() for name in self.headers)
        request = Request(
            method=self.command,
            url=f"http://{self.headers.get('Host') or self.server.url[7:]}{self.path}",
            path=path,
            query=read_query(query),
            headers={name: ", ".join(self.headers.get_all(name, [])) for name in names},
            body=body,
        )
        site = self.server.site
        self._send(site.answer(request) if site else Response(HTTPStatus.SERVICE_UNAVAILABLE))

    do_GET = do_HEAD = do_POST = do_PUT = do_DELETE = do_PATCH = do_OPTIONS = handle_request  # noqa: N815 - the library's names

    def _refusal(self) -> Response | None:
        length = self.headers.get("Content-Length") or "0"
        if self.headers.get("Transfer-Encoding"):
            return Response.text(HTTPStatus.LENGTH_REQUIRED, "chunked bodies are not supported")
        if not (length.isascii() and length.isdigit()) or not self.path.startswith("/"):
            return Response(HTTPStatus.BAD_REQUEST)
        if int(length) > _MAX_BODY_BYTES:
            return Response(HTTPStatus.REQUEST_ENTITY_TOO_LARGE)
        return None

    def _send(self, response: Response) -> None:
        self.send_response(response.status)
        for name, value in response.headers.items():
            if name.lower() not in {"content-length", "transfer-encoding", "connection"}:
                self.send_header(name, value)
        bodiless = response.status in {HTTPStatus.NO_CONTENT, HTTPStatus.NOT_MODIFIED}
        if not bodiless:
            self.send_header("Content-Length", str(len(response.body)))
        self.end_headers()
        if not bodiless and self.command != "HEAD":
            self.wfile.write(response.body)

    @override
    def log_message(self, format: str, *args: object) -> None:
        """Write nothing: the host logs functions and not requests."""
