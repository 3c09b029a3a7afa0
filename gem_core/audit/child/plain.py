"""Frozen dataclasses as plain JSON and back. Pure.

What comes back is untrusted: a value of another type than its field is refused, never converted.
"""

from collections.abc import Mapping
from dataclasses import fields, is_dataclass
from datetime import datetime
from enum import StrEnum
from functools import cache
from pathlib import Path
from types import NoneType, UnionType
from typing import Any, cast, get_args, get_origin, get_type_hints

from gem_core.moments import moment_text, read_moment


def to_plain(value: object) -> Any:  # noqa: ANN401 - any JSON value
    """The value as JSON has it: objects, lists, texts, numbers, booleans, null."""
    if is_dataclass(value):
        return {field.name: to_plain(getattr(value, field.name)) for field in fields(value)}
    if isinstance(value, datetime):
        return moment_text(value)
    if isinstance(value, Path | StrEnum):
        return str(value)
    if isinstance(value, tuple):
        return [to_plain(part) for part in value]
    return value


def from_plain[T](kind: type[T], value: object) -> T:
    """The value of this type; a member that is absent has its default.

    Raises:
        ValueError: the value is not of this type; the message does not repeat it.

    """
    return cast("T", _read(kind, value))


def _read(kind: Any, value: object) -> object:  # noqa: ANN401, PLR0911 - one line a type
    origin = get_origin(kind)
    if origin is UnionType:
        return _read_optional(kind, value)
    if origin is tuple:
        part = get_args(kind)[0]
        return tuple(_read(part, each) for each in _of(list, value))
    if kind is Any:
        return value
    if origin is Mapping:
        return _of(dict, value)
    if is_dataclass(kind):
        return _read_object(kind, _of(dict, value))
    if kind is float:
        return float(_of(int, value)) if type(value) is int else _of(float, value)
    if kind in {str, int, bool}:
        return _of(kind, value)
    text: str = _of(str, value)
    if issubclass(kind, datetime):
        return read_moment(text)
    if issubclass(kind, Path | StrEnum):
        return kind(text)
    raise TypeError(f"{kind} has no form in JSON")


def _read_optional(kind: UnionType, value: object) -> object:
    (some,) = (each for each in get_args(kind) if each is not NoneType)
    return None if value is None else _read(some, value)


def _read_object(kind: Any, members: Mapping[str, object]) -> object:  # noqa: ANN401 - as above
    known = _members(kind)
    if unknown := members.keys() - known:
        raise ValueError(f"{kind.__name__} has no member {min(unknown)[:40]!r}")
    values = {name: _read(known[name], value) for name, value in members.items()}
    try:
        return kind(**values)
    except TypeError:
        raise ValueError(f"{kind.__name__} lacks a member") from None


@cache
def _members(kind: Any) -> dict[str, Any]:  # noqa: ANN401 - as above
    hints = get_type_hints(kind)
    return {field.name: hints[field.name] for field in fields(kind)}


def _of(kind: type, value: object) -> Any:  # noqa: ANN401 - as above
    # Of this very type: to Python, True is a number too.
    if type(value) is not kind:
        raise ValueError(f"{kind.__name__} is expected, got {type(value).__name__}")
    return value
