"""Gets tokens of Entra ID, and says whether a failure may pass or is a refusal. Edge: azure.core.

azure.identity raises the same error for both. The identity endpoint of the platform fails now and
then, at cold starts most of all (Azure/azure-functions-host, issues 10238, 11058, 11782).

The errors here are none of the SDK: its retry policy would ask for the token again and again.
"""

import re
from collections.abc import Callable
from enum import Enum
from http import HTTPStatus
from time import sleep
from typing import Any

from azure.core.credentials import (
    AccessToken,
    AccessTokenInfo,
    TokenCredential,
    TokenRequestOptions,
)
from azure.core.exceptions import ClientAuthenticationError

from gem_core.errors import NoToken, TokenRefused
from gem_core.redaction import remember

RETRY_SECONDS = 1.0
"""The pause before the only other attempt."""
OPTIONS: dict[str, Any] = {"retry_total": 0, "connection_timeout": 5, "read_timeout": 10}
"""For the credentials of azure.identity. Their own time-outs are five minutes, four times."""
_CODE = re.compile("AADSTS[0-9]{4,9}")
"""The code of Entra ID ("Microsoft Entra authentication and authorization error codes")."""
_LATER = {HTTPStatus.REQUEST_TIMEOUT, HTTPStatus.TOO_MANY_REQUESTS}


class TokensFrom(Enum):
    """Who gives the tokens. The value says what to do when there are none."""

    PLATFORM = (
        "the identity endpoint of the platform failed; this usually passes. If it stays, check "
        "that the app has this identity, and its client id in the settings"
    )
    """The identity endpoint, for a managed identity. Its answers do not show whether a failure
    passes, so each one may."""
    SECRET = "check the tenant id, the client id and the client secret"  # noqa: S105 - a hint
    """Entra ID, for a client secret."""
    SIGN_IN = "no identity was accepted: give the app an identity, or sign in (az login)"
    """Azure's default chain of credentials, where there is no identity endpoint."""


class Identity:
    """A credential for Azure's clients. It asks again once after a failure that may pass."""

    def __init__(
        self,
        make: Callable[[], TokenCredential],
        source: TokensFrom,
        *,
        pause: Callable[[float], object] = sleep,
    ) -> None:
        """Ask nobody yet.

        Args:
            make: makes the credential of azure.identity.
            source: who gives its tokens.
            pause: waits so many seconds.

        """
        self._make = make
        self._source = source
        self._pause = pause
        self._credential = make()

    def get_token(self, *scopes: str, **options: object) -> AccessToken:
        """A token. Raises NoToken."""
        return self._ask(lambda of: of.get_token(*scopes, **options))  # type: ignore[arg-type] # passed on

    def get_token_info(
        self, *scopes: str, options: TokenRequestOptions | None = None
    ) -> AccessTokenInfo:
        """A token with more details, as Azure's clients ask for it. Raises NoToken."""

        def ask(of: Any) -> AccessTokenInfo:  # noqa: ANN401 - all have it, their protocol has not
            found: AccessTokenInfo = of.get_token_info(*scopes, options=options)
            return found

        return self._ask(ask)

    def _ask[T: (AccessToken, AccessTokenInfo)](self, do: Callable[[TokenCredential], T]) -> T:
        try:
            return self._once(do)
        except TokenRefused:
            raise
        except NoToken:
            self._pause(RETRY_SECONDS)
        self._credential = self._make()  # the first one repeats a failed answer for a while
        return self._once(do)

    def _once[T: (AccessToken, AccessTokenInfo)](self, do: Callable[[TokenCredential], T]) -> T:
        try:
            found = do(self._credential)
        except Exception as error:  # noqa: BLE001 - a strange answer raises errors of any type
            raise self._translated(error) from None
        remember(found.token)
        return found

    def _translated(self, error: Exception) -> NoToken:
        seen = _seen(error)
        if self._source is TokensFrom.PLATFORM:
            return NoToken(f"no token ({seen}): {self._source.value}")
        if isinstance(error, ClientAuthenticationError) and self._is_refused(error):
            return TokenRefused(f"no token ({seen}): {self._source.value}")
        return NoToken(f"no token ({seen}): Entra ID did not answer; this usually passes")

    def _is_refused(self, error: ClientAuthenticationError) -> bool:
        if self._source is TokensFrom.SIGN_IN:
            return True
        status = error.status_code
        return (
            status is not None
            and status < HTTPStatus.INTERNAL_SERVER_ERROR
            and (status not in _LATER)
        )


def _seen(error: Exception) -> str:
    """The type of the error, its status and the code of Entra ID; no text of a server."""
    code = _CODE.search(str(error))
    status = getattr(error, "status_code", None)
    parts = (type(error).__name__, status, code[0] if code else None)
    return " ".join(str(part) for part in parts if part)
