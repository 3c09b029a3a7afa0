"""HTTP routes of functions: how they match requests and which keys they need. Pure.

Source of the rules: ASP.NET Core routing, as used by the Functions host.
"""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from enum import Enum
from hmac import compare_digest
from typing import Any
from urllib.parse import unquote

from devkit.runner.app import Function
from devkit.runner.worker import AppLoadError

_PARAMETER = re.compile(r"\{(\*{0,2})([A-Za-z_][A-Za-z0-9_]*)\}")
_ENCODED_SLASH = re.compile("(%2f)", re.IGNORECASE)


class AuthLevel(Enum):
    """The key that a request needs."""

    ANONYMOUS = "anonymous"
    FUNCTION = "function"
    ADMIN = "admin"


@dataclass(frozen=True, slots=True)
class Keys:
    """The keys of the runner."""

    function: str
    master: str

    def open(self, level: AuthLevel, key: str) -> bool:
        """Whether `key` opens a route of this level."""
        if level is AuthLevel.ANONYMOUS or compare_digest(key.encode(), self.master.encode()):
            return True
        return level is AuthLevel.FUNCTION and compare_digest(key.encode(), self.function.encode())


@dataclass(frozen=True, slots=True)
class Route:
    """The route of an HTTP function."""

    function: Function
    template: str
    """With the prefix and without a leading slash, such as `api/jobs/{jobRunId}`."""
    methods: frozenset[str]
    """In upper case; empty for all methods."""
    level: AuthLevel

    def match(self, segments: tuple[str, ...]) -> Mapping[str, str] | None:
        """The parameters of a path; None if the path does not match."""
        found: dict[str, str] = {}
        parts = self.template.split("/")
        for at, part in enumerate(parts):
            parameter = _PARAMETER.fullmatch(part)
            if parameter and parameter[1]:
                return found | {parameter[2]: "/".join(segments[at:])}
            if at >= len(segments):
                return None
            if parameter and segments[at]:
                found[parameter[2]] = segments[at]
            elif part.lower() != segments[at].lower():
                return None
        return found if len(segments) == len(parts) else None

    @property
    def precedence(self) -> tuple[int, ...]:
        """Sort key: literal segments before parameters, and parameters before a catch-all."""
        kinds = (_PARAMETER.fullmatch(part) for part in self.template.split("/"))
        return tuple(0 if kind is None else 1 + len(kind[1]) for kind in kinds)


def route_of(function: Function, prefix: str) -> Route:
    """The route of an HTTP function.

    Raises:
        AppLoadError: the template uses constraints, defaults or optional parameters.

    """
    template = str(function.trigger.get("route") or function.name).strip("/")
    template = f"{prefix.strip('/')}/{template}".lstrip("/")
    for part in template.split("/"):
        if ("{" in part or "}" in part) and not _PARAMETER.fullmatch(part):
            raise AppLoadError(
                f"{function.name}: the development runner does not support the route part {part!r}"
            )
    methods: Iterable[Any] = function.trigger.get("methods") or ()
    level = AuthLevel(str(function.trigger.get("authLevel", "function")).lower())
    return Route(function, template, frozenset(str(one).upper() for one in methods), level)


def path_segments(raw: str) -> tuple[str, ...]:
    """The segments of a request's path, decoded once, as Kestrel does.

    An encoded slash stays `%2F` in its segment. Dot segments are removed after decoding. One slash
    at the end is ignored.
    """
    segments: list[str] = []
    for piece in raw.removeprefix("/").removesuffix("/").split("/"):
        parts = _ENCODED_SLASH.split(piece)
        segment = "".join(
            part if _ENCODED_SLASH.fullmatch(part) else unquote(part) for part in parts
        )
        if segment == "..":
            del segments[-1:]
        elif segment != ".":
            segments.append(segment)
    return tuple(segments)
