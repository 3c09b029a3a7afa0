"""Checks the API key and the bearer tokens of requests."""

import secrets
from dataclasses import dataclass
from datetime import datetime, timedelta
from hmac import compare_digest
from threading import Lock

TOKEN_LIFE = timedelta(hours=1)
"""Lifetime of tokens from `POST /token`. GEM's glossary says "typically 1 hour"."""


@dataclass(frozen=True, slots=True)
class SimulatorSettings:
    """Settings of the simulator."""

    api_key: str = "simulator-key"
    tokens: frozenset[str] = frozenset({"simulator-token"})
    """Tokens that are valid until all tokens are expired."""
    time_scale: float = 1.0
    """Simulated seconds for each real second. With 60, a minute of a job takes one second."""
    hold_seconds: float = 5.0
    """Real seconds for which a connection without an answer is held open."""
    port: int = 0
    """Loopback port; 0 for any free port."""


class Access:
    """The valid key and tokens. Thread-safe."""

    def __init__(self, settings: SimulatorSettings) -> None:
        self._settings = settings
        self._expires: dict[str, datetime | None] = dict.fromkeys(settings.tokens)
        self._lock = Lock()

    def key_fits(self, key: str | None) -> bool:
        """Whether this is the API key."""
        return key is not None and compare_digest(key.encode(), self._settings.api_key.encode())

    def token_fits(self, authorization: str | None, now: datetime) -> bool:
        """Whether the `Authorization` header has a bearer token that is valid at `now`."""
        scheme, _, token = (authorization or "").partition(" ")
        with self._lock:
            if scheme.lower() != "bearer" or token not in self._expires:
                return False
            end = self._expires[token]
        return end is None or now < end

    def issue(self, now: datetime) -> str:
        """A new token that is valid for `TOKEN_LIFE`."""
        token = secrets.token_urlsafe(24)
        with self._lock:
            self._expires[token] = now + TOKEN_LIFE
        return token

    def expire_all(self) -> None:
        """Make all existing tokens invalid, also those of the settings."""
        with self._lock:
            self._expires.clear()
