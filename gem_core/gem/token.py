"""The bearer token for GEM. Edge: azure.core.

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
from azure.core.exceptions import AzureError, ClientAuthenticationError

from gem_core.errors import GemAccessError, GemUnavailable
from gem_core.gem.redaction import redactor
from gem_core.secret import Secret

REFRESH_BEFORE = timedelta(minutes=5)
"""A token is renewed this long before it expires."""
_DELEGATED = "/user_impersonation"


class TokenSource(Protocol):
    """Where the bearer token comes from."""

    def token(self) -> str:
        """A valid token. Raises GemAccessError, GemUnavailable."""
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
        secret: Secret | None = None,
    ) -> None:
        """`secret` is what the credential sends to Entra ID; error messages do not show it."""
        self._make_credential = make_credential
        self._scope = default_scope(scope)
        self._clock = clock
        self._redact = redactor(secret.reveal() if secret else "")
        self._credential: TokenCredential | None = None
        self._current: AccessToken | None = None
        self._lock = Lock()

    def token(self) -> str:
        """A token that is valid for some more minutes; threads share one request."""
        with self._lock:
            if self._current is None or self._is_old(self._current):
                self._credential = self._credential or self._make_credential()
                try:
                    self._current = self._credential.get_token(self._scope)
                except ClientAuthenticationError as error:
                    raise GemAccessError(
                        f"no token for {self._scope}: check GEM_TENANT_ID, GEM_CLIENT_ID and "
                        f"GEM_CLIENT_SECRET, or sign in: {self._redact(error.message)}"
                    ) from None  # the traceback would show the message as received
                except AzureError as error:
                    raise GemUnavailable(
                        f"no token for {self._scope} now: {type(error).__name__}"
                    ) from error
            return self._current.token

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
