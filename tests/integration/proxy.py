"""A loopback HTTP proxy in front of storage that lets a test act at one exact request."""

import http.client
from collections.abc import Callable
from enum import StrEnum
from http.server import BaseHTTPRequestHandler
from threading import Lock
from urllib.parse import urlsplit

from tests.loopback import Handler, Loopback

_LEFT_OUT = {"transfer-encoding", "connection", "keep-alive", "content-length"}
"""Headers of one hop, and the one that is set anew."""


class When(StrEnum):
    """On which side of the real service something happens."""

    BEFORE = "before"
    """The service has not seen the request."""
    AFTER = "after"
    """The service has done it; the caller has no answer yet."""


class Proxy(Loopback):
    """Passes requests on to `target`; acts once, at the first request that `matches`.

    That request's connection is then closed without an answer. A later one that matches passes
    unharmed.
    """

    def __init__(self, target: str, *, matches: Callable[[str, str], bool], when: When) -> None:
        self._target = urlsplit(target)
        self._matches = matches
        self._when = when
        self.act: Callable[[], None] | None = None
        """What to do; set it before the request may come."""
        self.acted = False
        self._taking = Lock()
        super().__init__(self._handler())

    def instead_of(self, connection_string: str, service: str) -> str:
        """The connection string with one service ("BlobEndpoint", …) behind this proxy."""
        parts = dict(part.split("=", 1) for part in connection_string.strip(";").split(";"))
        parts[service] = urlsplit(parts[service])._replace(netloc=self.netloc).geturl()
        return ";".join(f"{name}={value}" for name, value in parts.items())

    def _handler(self) -> type[BaseHTTPRequestHandler]:
        proxy = self

        class PassingOn(Handler):
            def handle_any(self) -> None:
                proxy.pass_on(self)

            do_GET = do_PUT = do_POST = do_DELETE = do_HEAD = handle_any  # noqa: N815 - http.server's names

        return PassingOn

    def pass_on(self, caller: BaseHTTPRequestHandler) -> None:
        body = caller.rfile.read(int(caller.headers.get("Content-Length") or 0))
        act = self._take_act(caller)
        if act and self._when is When.BEFORE:
            self._end(caller, act)
            return
        answer, content = self._ask(caller, body)
        if act:
            self._end(caller, act)
            return
        # For HEAD the service's own length stands, though no content follows.
        length = answer.getheader("Content-Length") if caller.command == "HEAD" else len(content)
        caller.send_response_only(answer.status, answer.reason)
        for name, value in answer.getheaders():
            if name.lower() not in _LEFT_OUT:
                caller.send_header(name, value)
        caller.send_header("Content-Length", str(length or 0))
        caller.end_headers()
        caller.wfile.write(content)

    def _take_act(self, caller: BaseHTTPRequestHandler) -> Callable[[], None] | None:
        if not self._matches(caller.command, caller.path):
            return None
        with self._taking:  # each request has a thread
            act, self.act = self.act, None
        return act

    def _end(self, caller: BaseHTTPRequestHandler, act: Callable[[], None]) -> None:
        act()
        caller.close_connection = True
        self.acted = True

    def _ask(
        self, caller: BaseHTTPRequestHandler, body: bytes
    ) -> tuple[http.client.HTTPResponse, bytes]:
        service = http.client.HTTPConnection(self._target.netloc, timeout=60)
        try:
            # All headers go on unchanged, since the request is signed over them.
            service.putrequest(
                caller.command, caller.path, skip_host=True, skip_accept_encoding=True
            )
            for name, value in caller.headers.items():
                service.putheader(name, value)
            service.endheaders(body)
            answer = service.getresponse()
            return answer, answer.read()
        finally:
            service.close()
