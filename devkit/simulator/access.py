"""Who may ask: the TomTom key and the bearer tokens."""

import secrets
from dataclasses import dataclass
from datetime import datetime, timedelta
from hmac import compare_digest
from threading import Lock


@dataclass(frozen=True, slots=True)
class SimulatorSettings:
    """How the simulator runs."""

    api_key: str = "simulator-key"
    tokens: frozenset[str] = frozenset({"simulator-token"})
    """Good from the start, until all tokens are made to expire."""
    token_life_seconds: float = 3600.0
    """Of tokens from `POST /token`; the product's glossary says "typically 1 hour"."""
    time_scale: float = 1.0
    """Simulated seconds in one real second: 60 makes a minute of a job's life a second."""
    hold_seconds: float = 5.0
    """How long a request that gets no answer is held; real seconds."""
    port: int = 0
    """On loopback; 0 takes a free one."""


class Access:
    """The tokens in force. Safe to use from several threads."""

    def __init__(self, settings: SimulatorSettings) -> None:
        self._settings = settings
        self._expires: dict[str, datetime | None] = dict.fromkeys(settings.tokens)
        self._lock = Lock()

    @property
    def token_life_seconds(self) -> float:
        """Of a token from `issue`."""
        return self._settings.token_life_seconds

    def key_fits(self, key: str | None) -> bool:
        """Whether the request carries the API key."""
        return key is not None and compare_digest(key.encode(), self._settings.api_key.encode())

    def token_fits(self, authorization: str | None, now: datetime) -> bool:
        """Whether the `Authorization` header holds a bearer token that is in force at `now`."""
        scheme, _, token = (authorization or "").partition(" ")
        with self._lock:
            if scheme.lower() != "bearer" or token not in self._expires:
                return False
            end = self._expires[token]
        return end is None or now < end

    def issue(self, now: datetime) -> str:
        """A new token, good for `token_life_seconds`."""
        token = secrets.token_urlsafe(24)
        with self._lock:
            self._expires[token] = now + timedelta(seconds=self._settings.token_life_seconds)
        return token

    def expire_all(self) -> None:
        """End all tokens so far, those of the settings included."""
        with self._lock:
            self._expires.clear()
