"""The app behind any host that hands its calls to an HTTP callback, in a process of its own.

`python -m tests.devkit.beside.app` reads the settings from the environment and prints its address.
`POST /NAME` runs a function with a blob trigger, as `callback.py` is called; `/api/…` are the app's
own routes, without keys. The functions are those of function_app.py; the worker is not there.
"""

import base64
import json
import logging
import re
import sys
from collections.abc import Callable, Iterator
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qsl, unquote, urlsplit

import azure.functions as func
from azure.functions.blob import InputStream

from function_app import app

FUNCTIONS = app.get_functions()
_LOGGER = logging.getLogger("beside")


def run_blob(name: str, call: dict[str, Any]) -> None:
    """Run a function with the blob of a call. Raises what the function raises."""
    (run,) = (each.get_user_function() for each in FUNCTIONS if each.get_function_name() == name)
    run(InputStream(data=base64.b64decode(call["bodyBase64"]), name=call["name"], uri=call["uri"]))


def routes() -> Iterator[tuple[re.Pattern[str], set[str], Callable[..., func.HttpResponse]]]:
    """Pattern, methods and function of each route."""
    for each in FUNCTIONS:
        trigger: dict[str, Any] = each.get_trigger().get_dict_repr()  # type: ignore[union-attr] # has one
        if trigger["type"] == "httpTrigger":
            pattern = re.sub(r"\{(\w+)\}", r"(?P<\1>[^/]+)", trigger["route"].replace(".", r"\."))
            methods = {getattr(method, "value", method) for method in trigger["methods"]}
            yield re.compile(f"/api/{pattern}"), methods, each.get_user_function()


ROUTES = list(routes())


class Handler(BaseHTTPRequestHandler):
    """One request."""

    def handle_any(self) -> None:
        """Answer 204 or 500 to a call, and what the app answers to any other request."""
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        address = urlsplit(self.path)
        if not address.path.startswith("/api/"):
            try:
                run_blob(address.path.removeprefix("/"), json.loads(body))
            except Exception:
                _LOGGER.exception("a call has failed")
                self.answer(HTTPStatus.INTERNAL_SERVER_ERROR, b"")
            else:
                self.answer(HTTPStatus.NO_CONTENT, b"")
            return
        for pattern, methods, run in ROUTES:
            if (found := pattern.fullmatch(address.path)) and self.command in methods:
                request = func.HttpRequest(
                    method=self.command,
                    url=self.path,
                    params=dict(parse_qsl(address.query)),
                    route_params={name: unquote(text) for name, text in found.groupdict().items()},
                    body=body,
                )
                response = run(request)
                self.answer(response.status_code, response.get_body())
                return
        self.answer(HTTPStatus.NOT_FOUND, b"")

    do_GET = do_PUT = do_POST = do_DELETE = do_HEAD = handle_any  # noqa: N815 - http.server's names

    def answer(self, status: int, body: bytes) -> None:
        """Send an answer."""
        self.send_response_only(status)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)


def main() -> None:
    """Serve until the process is ended."""
    logging.basicConfig(level=logging.INFO, stream=sys.stderr, format="%(asctime)s %(message)s")
    logging.getLogger("azure").setLevel(logging.WARNING)
    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    sys.stderr.write(f"The app listens on http://127.0.0.1:{server.server_address[1]}\n")
    sys.stderr.flush()
    server.serve_forever()


if __name__ == "__main__":
    main()
