"""The other end of the functions of `apps/callback`: notes each call and decides how it ends."""

import base64
import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Condition, Thread
from time import monotonic
from typing import Any, override

FAIL, HOLD = "fail", "hold"
"""What a text begins with whose function fails, or runs until `release`."""
_LONGEST_SECONDS = 120.0


class Callback:
    """The calls so far."""

    def __init__(self) -> None:
        self._changed = Condition()
        self.calls: list[dict[str, Any]] = []
        self.running: list[str] = []
        """The texts of the functions that run, the oldest first."""
        self._released: set[str] = set()

    def handle(self, call: dict[str, Any]) -> HTTPStatus:
        """Note a call; return when its function ends."""
        text = call.get("text")
        if text is None:
            text = base64.b64decode(call["bodyBase64"]).decode()
        with self._changed:
            self.calls.append(call | {"text": text})
            self.running.append(text)
            self._changed.notify_all()
            if text.startswith(HOLD):
                self._changed.wait_for(lambda: text in self._released, _LONGEST_SECONDS)
            self.running.remove(text)
            self._changed.notify_all()
        failed = text.startswith(FAIL)
        return HTTPStatus.INTERNAL_SERVER_ERROR if failed else HTTPStatus.NO_CONTENT

    def release(self, text: str) -> None:
        """Let a function end that runs."""
        with self._changed:
            self._released.add(text)
            self._changed.notify_all()
            self._changed.wait_for(lambda: text not in self.running, _LONGEST_SECONDS)

    def settle(self, quiet_seconds: float, is_enough: Callable[[], bool] = lambda: True) -> None:
        """Wait until no function has started or ended for so long, and what happened is enough.

        On a busy machine a host may be quiet though it has more to do.
        """
        deadline = monotonic() + _LONGEST_SECONDS
        with self._changed:
            while self._changed.wait(quiet_seconds) or not is_enough():
                if monotonic() > deadline:
                    return

    def held(self, quiet_seconds: float, least: int) -> list[str]:
        """The texts of the functions that wait for `release` when nothing changes any more, and so
        many do.
        """

        def found() -> list[str]:
            return [text for text in self.running if text.startswith(HOLD)]

        self.settle(quiet_seconds, lambda: len(found()) >= least)
        return found()


@contextmanager
def callback(port: int = 0) -> Iterator[tuple[Callback, str]]:
    """Listen on a loopback port; 0 for any. Yields the calls and the address."""
    calls = Callback()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            self.send_response(calls.handle(json.loads(body)))
            self.send_header("Content-Length", "0")
            self.end_headers()

        @override
        def log_message(self, format: str, *args: object) -> None:
            """Write nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", port), Handler)
    server.daemon_threads = True
    Thread(target=server.serve_forever, args=(0.05,), daemon=True).start()
    try:
        yield calls, f"http://127.0.0.1:{server.server_address[1]}"
    finally:
        server.shutdown()
        server.server_close()
