"""The bearer token for GEM. Edge: azure.identity, imported on use, since it is slow to import.

The documentation names a delegated scope, `…/user_impersonation`, through the Azure CLI. All of
azure-identity wants the resource's `/.default` instead: client credentials accept nothing else, and
the CLI credential turns a scope into a resource by cutting just that suffix off. So one is taken
for the other; the token of a signed-in user carries the delegated scope all the same.
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
        """A token that is good now. Raises GemAccessError, GemUnavailable."""
        ...

    def forget(self, token: str) -> None:
        """GEM refused this token: no later call may bring it again."""
        ...


class FixedToken:
    """A token from the settings, for development."""

    def __init__(self, token: Secret) -> None:
        self._token = token

    def token(self) -> str:
        """The token."""
        return self._token.reveal()

    def forget(self, token: str) -> None:
        """There is no other."""


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
        """`secret` is what the credential shows to Entra ID, to be hidden in its words."""
        self._make_credential = make_credential
        self._scope = default_scope(scope)
        self._clock = clock
        self._hide = redactor(secret.reveal() if secret else "")
        self._credential: TokenCredential | None = None
        self._held: AccessToken | None = None
        self._lock = Lock()

    def token(self) -> str:
        """A token that is good for some minutes yet; one request for all threads."""
        with self._lock:
            if self._held is None or self._is_old(self._held):
                self._credential = self._credential or self._make_credential()
                try:
                    self._held = self._credential.get_token(self._scope)
                except ClientAuthenticationError as error:
                    raise GemAccessError(
                        f"no token for {self._scope}: check GEM_TENANT_ID, GEM_CLIENT_ID and "
                        f"GEM_CLIENT_SECRET, or sign in: {self._hide(error.message)}"
                    ) from None  # a traceback would show the words as they came
                except AzureError as error:
                    raise GemUnavailable(
                        f"no token for {self._scope} now: {type(error).__name__}"
                    ) from error
            return self._held.token

    def forget(self, token: str) -> None:
        """Drop the token, and the credential with its own cache.

        Of all threads that a dead token was refused to, the first one drops it; the others use what
        was fetched since.
        """
        with self._lock:
            if self._held and self._held.token == token:
                self._held = self._credential = None

    def _is_old(self, token: AccessToken) -> bool:
        return datetime.fromtimestamp(token.expires_on, UTC) - REFRESH_BEFORE <= self._clock()


def default_scope(scope: str) -> str:
    """The form of a scope that azure-identity takes."""
    return scope.removesuffix(_DELEGATED) + "/.default" if scope.endswith(_DELEGATED) else scope
