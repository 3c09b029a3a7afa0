"""Diagnostics of the token and of GEM. Pure: both are passed in."""

import base64
import binascii
import json
import re
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from gem_core.doctor.finding import NOT_SIGNED_IN_NOW, Finding, fail, ok, skipped, warning
from gem_core.doctor.installation import Installation
from gem_core.errors import (
    GemAccessError,
    GemAnswerError,
    GemError,
    GemForbidden,
    GemJobNotFound,
    GemUnauthorized,
    GemUnavailable,
    GemWithoutToken,
)
from gem_core.gem.job import IMPOSSIBLE_JOB

_UNAVAILABLE = (
    "check GEM_API_BASE_URL, name resolution and outbound network; if GEM itself answers 5xx, "
    "wait: the next ticks try again"
)
_UNAUTHORIZED = (
    "GEM_API_KEY is not the key that TomTom knows (docs/operations.md, Rotate the key), or GEM "
    "does not accept the identity or the scope of the token"
)
_FORBIDDEN = (
    "GEM knows the key and the token but does not allow the request: ask TomTom to enable GEM for "
    "the key and to give access to the identity of the token"
)
_REMEDIES: dict[type[GemError], str] = {
    GemUnauthorized: _UNAUTHORIZED,
    GemForbidden: _FORBIDDEN,
    GemUnavailable: _UNAVAILABLE,
    GemAnswerError: "check GEM_API_BASE_URL and GEM_API_VERSION",
}

_GUID = re.compile(r"[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}")


def token(installation: Installation) -> Finding:
    """Whether a token is available, for which audience, and until when. It is never shown."""
    fixed = installation.settings.gem_bearer_token
    try:
        text = installation.token().token()
    except GemError as error:
        return _without_token(error)
    claims = _claims(text)
    if claims is None:
        return ok(f"{'GEM_BEARER_TOKEN' if fixed else 'the token'} is not a JWT")
    detail = f"audience {_printable(claims.get('aud'))}, {_rights(claims)}"
    if not isinstance(expires := claims.get("exp"), int | float):
        return ok(f"{detail}, does not expire")
    left = datetime.fromtimestamp(expires, UTC) - installation.clock()
    minutes = int(left.total_seconds() // 60)
    if minutes < 0:
        return fail(
            f"{detail}, expired {-minutes} minutes ago",
            "set a new GEM_BEARER_TOKEN, or remove it and use an identity",
        )
    detail += f", expires in {minutes} minutes"
    expected = installation.settings.gem_token_scope.rpartition("/")[0]
    audience = str(claims.get("aud", ""))
    if fixed or audience.rstrip("/") == expected or _GUID.fullmatch(audience):
        return ok(detail)
    return warning(
        detail, f"GEM_TOKEN_SCOPE requests {expected}: check which of the two GEM expects"
    )


def _without_token(error: GemError) -> Finding:
    if isinstance(error, GemWithoutToken):
        return fail(str(error).partition("; this usually")[0], NOT_SIGNED_IN_NOW)
    return fail(
        str(error),
        "set GEM_TENANT_ID, GEM_CLIENT_ID and GEM_CLIENT_SECRET, or give the app an identity, or "
        "sign in (az login); GEM_TOKEN_SCOPE must be a scope that the tenant knows",
    )


def gem(installation: Installation) -> Finding:
    """Whether GEM answers and accepts key and token.

    A 404 for a job that does not exist shows that GEM accepts them. If a request with an invalid
    key and token also gets 404, the address is probably not GEM's.
    """
    try:
        installation.gem().get_job(IMPOSSIBLE_JOB)
    except GemJobNotFound:
        return _compare_anonymous(installation)
    except GemError as error:
        remedy = _REMEDIES.get(type(error))
        if remedy is None:
            return skipped("no token is available")
        detail = f"; GEM says: {error.detail}" if error.detail else ""
        return fail(str(error).partition(": check ")[0] + detail, remedy)
    return warning(
        f"GEM knows the job {IMPOSSIBLE_JOB}, which does not exist", "check GEM_API_BASE_URL"
    )


def _compare_anonymous(installation: Installation) -> Finding:
    try:
        installation.anonymous().get_job(IMPOSSIBLE_JOB)
    except GemAccessError:
        return ok("GEM accepts key and token: 404 for an unknown job, and a refusal without them")
    except GemJobNotFound:
        return warning(
            "GEM answers 404 for an unknown job, with and without a valid key and token",
            "so key and token are not tested: check that GEM_API_BASE_URL is GEM's address",
        )
    except GemError as error:
        return ok(f"404 for an unknown job (without a valid key and token: {error})")
    return warning(
        "GEM answers without a valid key and token", "check that GEM_API_BASE_URL is GEM's address"
    )


def _claims(text: str) -> Mapping[str, Any] | None:
    """The claims of a JWT, or None when the text is not a JWT.

    The signature is not verified, because the claims are only displayed.
    """
    parts = text.split(".")
    if len(parts) != 3:  # noqa: PLR2004 - header, claims, signature (RFC 7519)
        return None
    try:
        claims = json.loads(base64.urlsafe_b64decode(parts[1] + "=" * (-len(parts[1]) % 4)))
    except (ValueError, RecursionError, binascii.Error):
        return None
    return claims if isinstance(claims, dict) else None


def _rights(claims: Mapping[str, Any]) -> str:
    rights = claims.get("scp") or claims.get("roles")
    return f"with {_printable(rights)}" if rights else "without scopes or roles"


def _printable(value: object) -> str:
    """At most 120 characters of a claim, without control characters."""
    text = " ".join(map(str, value)) if isinstance(value, list) else str(value)
    return "".join(letter for letter in text[:120] if letter.isprintable())
