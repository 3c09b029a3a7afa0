"""The bearer token for GEM. Edge: azure.core. `storage.identity` gets it.

TomTom documents a delegated scope, `…/user_impersonation`, and the Azure CLI to get a token for it.
azure-identity needs the resource's `/.default` instead: client credentials accept no other scope,
and the CLI credential takes only that suffix off to find the resource. So `/.default` replaces the
delegated scope. The token of a signed-in user has the delegated scope nevertheless.
"""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from threading import Lock
from typing import Protocol

from azure.core.credentials import AccessToken, TokenCredential

from gem_core.errors import GemAccessError, GemWithoutToken, NoToken, TokenRefused
from gem_core.secret import Secret

REFRESH_BEFORE = timedelta(minutes=5)
"""A token is renewed this long before it expires."""
FAILED_FOR = timedelta(seconds=30)
"""After a failure that passes, nobody is asked for so long. Otherwise each job of a tick would wait
for the same failure again."""
_DELEGATED = "/user_impersonation"


class TokenSource(Protocol):
    """Where the bearer token comes from."""

    def token(self) -> str:
        """A valid token. Raises GemAccessError, GemWithoutToken."""
        ...

    def forget(self, token: str) -> None:
        """GEM refused this token: no later call may return it."""
        ...


class FixedToken:
    """A token from the settings, for development."""

    def __init__(self, token: Secret) -> None:
        self._token = token

    def token(self) -> str:
        """The token."""
        return self._token.reveal()

    def forget(self, token: str) -> None:
        """Do nothing: there is no other token."""


class IdentityToken:
    """A token of Entra ID, kept until shortly before it expires."""

    def __init__(
        self,
        make_credential: Callable[[], TokenCredential],
        scope: str,
        *,
        clock: Callable[[], datetime],
    ) -> None:
        self._make_credential = make_credential
        self._scope = default_scope(scope)
        self._clock = clock
        self._credential: TokenCredential | None = None
        self._current: AccessToken | None = None
        self._failed: tuple[datetime, str] | None = None
        self._lock = Lock()

    def token(self) -> str:
        """A token that is valid for some more minutes; threads share one request."""
        with self._lock:
            if self._current is None or self._is_old(self._current):
                self._current = self._fetched()
            return self._current.token

    def _fetched(self) -> AccessToken:
        now = self._clock()
        if self._failed and timedelta(0) <= now - self._failed[0] < FAILED_FOR:
            raise GemWithoutToken(self._failed[1])
        try:
            self._credential = self._credential or self._make_credential()
            token = self._credential.get_token(self._scope)
        except TokenRefused as error:
            raise GemAccessError(f"{error}; scope {self._scope}") from None
        except NoToken as error:
            self._failed = self._clock(), f"{error}; scope {self._scope}"
            raise GemWithoutToken(self._failed[1]) from None
        self._failed = None
        return token

    def forget(self, token: str) -> None:
        """Drop the token, and the credential with its own cache.

        When GEM refuses a token to several threads, the first of them drops it. The others use the
        token that was fetched since.
        """
        with self._lock:
            if self._current and self._current.token == token:
                self._current = self._credential = None

    def _is_old(self, token: AccessToken) -> bool:
        return datetime.fromtimestamp(token.expires_on, UTC) - REFRESH_BEFORE <= self._clock()


def default_scope(scope: str) -> str:
    """The scope in the form that azure-identity accepts."""
    return scope.removesuffix(_DELEGATED) + "/.default" if scope.endswith(_DELEGATED) else scope
