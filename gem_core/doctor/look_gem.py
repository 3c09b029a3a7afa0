"""Looks at the token and at GEM itself. Pure: both come as edges."""

import base64
import binascii
import json
import re
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from gem_core.doctor.finding import Finding, fail, ok, skipped, warning
from gem_core.doctor.installation import Installation
from gem_core.errors import (
    GemAccessError,
    GemAnswerError,
    GemError,
    GemForbidden,
    GemJobNotFound,
    GemUnauthorized,
    GemUnavailable,
)

IMPOSSIBLE_JOB = "job-000000-000000"
"""Of the form of GEM's own ids, so that nothing but its existence can be wrong with it."""

_WAIT = (
    "check GEM_API_BASE_URL, name resolution and outbound network; if GEM itself answers 5xx, "
    "wait: ticks go on by themselves"
)
_MEND = (
    "GEM_API_KEY is not the key that TomTom knows (docs/operations.md, Rotate the key), or the "
    "token is of an identity or for a scope that GEM does not take"
)
_ASK = (
    "key and token are known and not allowed: ask TomTom to enable GEM for the key, and to let the "
    "identity of the token in"
)
_REMEDIES: dict[type[GemError], str] = {
    GemUnauthorized: _MEND,
    GemForbidden: _ASK,
    GemUnavailable: _WAIT,
    GemAnswerError: "check GEM_API_BASE_URL and GEM_API_VERSION",
}

_GUID = re.compile(r"[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}")


def token(installation: Installation) -> Finding:
    """Whether a token can be had, for whom, until when. It is never shown."""
    fixed = installation.settings.gem_bearer_token
    try:
        text = installation.token().token()
    except GemError as error:
        return fail(
            str(error).splitlines()[0],
            "set GEM_TENANT_ID, GEM_CLIENT_ID and GEM_CLIENT_SECRET, or give the app an identity, "
            "or sign in (az login); GEM_TOKEN_SCOPE must be a scope that the tenant knows",
        )
    claims = _claims(text)
    if claims is None:
        return ok(f"{'GEM_BEARER_TOKEN, which is' if fixed else 'there is one,'} no JWT")
    detail = f"for {_word(claims.get('aud'))}, {_rights(claims)}"
    if not isinstance(expires := claims.get("exp"), int | float):
        return ok(f"{detail}, without an end")
    left = datetime.fromtimestamp(expires, UTC) - installation.clock()
    minutes = int(left.total_seconds() // 60)
    if minutes < 0:
        return fail(
            f"{detail}, expired {-minutes} minutes ago",
            "set a fresh GEM_BEARER_TOKEN, or none and an identity instead",
        )
    detail += f", for {minutes} minutes yet"
    wanted = installation.settings.gem_token_scope.rpartition("/")[0]
    audience = str(claims.get("aud", ""))
    if fixed or audience.rstrip("/") == wanted or _GUID.fullmatch(audience):
        return ok(detail)
    return warning(detail, f"GEM_TOKEN_SCOPE asks for {wanted}: check which of the two GEM wants")


def gem(installation: Installation) -> Finding:
    """Whether GEM answers, and takes key and token: 404 for a job that cannot be says so.

    Only as long as somebody without a key gets another answer; else the address is not GEM's.
    """
    try:
        installation.gem().get_job(IMPOSSIBLE_JOB)
    except GemJobNotFound:
        return _compare_anonymous(installation)
    except GemError as error:
        remedy = _REMEDIES.get(type(error))
        if remedy is None:
            return skipped("there is no token to ask with")
        return fail(str(error).partition(": check ")[0], remedy)
    return warning(f"GEM knows a job {IMPOSSIBLE_JOB}, which cannot be", "check GEM_API_BASE_URL")


def _compare_anonymous(installation: Installation) -> Finding:
    try:
        installation.anonymous().get_job(IMPOSSIBLE_JOB)
    except GemAccessError:
        return ok(
            "404 for a job that cannot be, and a refusal without key and token: it takes them"
        )
    except GemJobNotFound:
        return warning(
            "404 for a job that cannot be, with key and token and without",
            "nothing is proven of them: check that GEM_API_BASE_URL is GEM's address",
        )
    except GemError as error:
        return ok(f"404 for a job that cannot be (without key and token: {error})")
    return warning("GEM answers strangers", "check that GEM_API_BASE_URL is GEM's address")


def _claims(text: str) -> Mapping[str, Any] | None:
    """The claims of a JWT, unverified: only to be shown. None when it is none."""
    parts = text.split(".")
    if len(parts) != 3:  # noqa: PLR2004 - header, claims, signature (RFC 7519)
        return None
    try:
        held = json.loads(base64.urlsafe_b64decode(parts[1] + "=" * (-len(parts[1]) % 4)))
    except (ValueError, RecursionError, binascii.Error):
        return None
    return held if isinstance(held, dict) else None


def _rights(claims: Mapping[str, Any]) -> str:
    rights = claims.get("scp") or claims.get("roles")
    return f"with {_word(rights)}" if rights else "without scopes or roles"


def _word(value: object) -> str:
    text = " ".join(map(str, value)) if isinstance(value, list) else str(value)
    return "".join(letter for letter in text[:120] if letter.isprintable())
