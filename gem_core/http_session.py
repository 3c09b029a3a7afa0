"""HTTP connections, for GEM and for storage. Edge: sockets, requests, environment.

A whole answer, headers and body, has one deadline. The read timeout of requests is the longest
silence between two packets. An answer that comes byte by byte never reaches it, and could hold a
thread for days.
"""

import io
from collections.abc import Callable
from functools import partial
from http.client import HTTPResponse
from http.cookiejar import DefaultCookiePolicy
from socket import socket
from time import monotonic
from typing import Any, override

from requests import Session
from requests.adapters import HTTPAdapter
from urllib3 import HTTPConnectionPool, HTTPSConnectionPool, PoolManager
from urllib3.connection import HTTPConnection, HTTPSConnection


def http_session(url: str, *, answer_seconds: float, connections: int) -> Session:
    """A session for one server. It retries nothing and keeps no cookies.

    Proxies and REQUESTS_CA_BUNDLE are read from the environment now. By default, requests reads
    them for every request, which is up to a fifth of its work.

    Args:
        url: an address of the server; it decides which proxy is used.
        answer_seconds: the longest time for a whole answer, headers and body.
        connections: the most connections that are kept open.

    """
    session = Session()
    session.proxies, session.verify = environment(url)
    session.trust_env = False
    session.cookies.set_policy(DefaultCookiePolicy(allowed_domains=[]))
    adapter = DeadlineAdapter(answer_seconds=answer_seconds, connections=connections)
    for scheme in ("https://", "http://"):
        session.mount(scheme, adapter)
    return session


def environment(url: str) -> tuple[dict[str, str], bool | str]:
    """The proxies for a server, and the certificates to trust (REQUESTS_CA_BUNDLE, …)."""
    with Session() as session:
        settings = session.merge_environment_settings(url, {}, None, None, None)
    verify = settings["verify"]
    return dict(settings["proxies"]), True if verify is None else verify


class _UntilDeadline(io.RawIOBase):
    """Reads from a socket until a moment of the monotonic clock, in seconds."""

    def __init__(self, raw: io.RawIOBase, sock: socket, ends_at: float) -> None:
        self._raw = raw
        self._sock = sock
        self._ends_at = ends_at

    @override
    def readable(self) -> bool:
        return True

    @override
    def readinto(self, buffer: Any, /) -> int | None:
        left = self._ends_at - monotonic()
        if left <= 0:
            raise TimeoutError("the answer took too long")
        silence = self._sock.gettimeout()
        self._sock.settimeout(left if silence is None else min(left, silence))
        return self._raw.readinto(buffer)

    @override
    def close(self) -> None:
        super().close()
        self._raw.close()


class _TimedResponse(HTTPResponse):
    """An answer that must be read within so many seconds after its request was sent."""

    def __init__(self, sock: socket, *args: Any, seconds: float, **options: Any) -> None:  # noqa: ANN401 - http.client's own
        super().__init__(sock, *args, **options)
        ends_at = monotonic() + seconds
        self.fp = io.BufferedReader(_UntilDeadline(self.fp.detach(), sock, ends_at))


class DeadlineAdapter(HTTPAdapter):
    """Keeps up to `connections` connections open, and gives each answer `answer_seconds`."""

    def __init__(self, *, answer_seconds: float, connections: int) -> None:
        self._pools = _pools(partial(_TimedResponse, seconds=answer_seconds))
        super().__init__(pool_connections=1, pool_maxsize=connections, max_retries=0)

    @override
    def init_poolmanager(self, *args: Any, **options: Any) -> None:
        super().init_poolmanager(*args, **options)
        self.poolmanager.pool_classes_by_scheme = self._pools

    @override
    def proxy_manager_for(self, *args: Any, **options: Any) -> PoolManager:
        manager: PoolManager = super().proxy_manager_for(*args, **options)
        manager.pool_classes_by_scheme = self._pools
        return manager


def _pools(answer: Callable[..., HTTPResponse]) -> dict[str, type[HTTPConnectionPool]]:
    """Pools of connections whose answers are made by `answer`."""

    class Plain(HTTPConnection):
        response_class: Any = staticmethod(answer)

    class Secure(HTTPSConnection):
        response_class: Any = staticmethod(answer)

    class PlainPool(HTTPConnectionPool):
        ConnectionCls = Plain

    class SecurePool(HTTPSConnectionPool):
        ConnectionCls = Secure

    return {"http": PlainPool, "https": SecurePool}
