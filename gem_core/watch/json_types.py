"""Reads stored JSON, which a person may have edited, and checks the types of its values. Pure.

Each function returns the value, and raises ValueError if it has another type or is out of range.
"""

import json
from collections.abc import Mapping
from datetime import datetime
from typing import Any

from gem_core.moments import read_stored_moment

MAX_COUNT = 2**53
"""Integers below are exact in any reader of JSON (RFC 8259, section 6)."""


def read_json(body: str | bytes) -> Any:  # noqa: ANN401 - any JSON value
    """The value of a JSON text, if it can be written again.

    Python also reads NaN, infinities (1e999 is one) and half of a surrogate pair. JSON has no such
    numbers, and UTF-8 no such characters (RFC 8259, sections 6 and 8.1).

    Raises:
        ValueError: it is not JSON, has such values, or is nested too deep.

    """
    try:
        value = json.loads(body)
        json.dumps(value, allow_nan=False, ensure_ascii=False).encode()
    except UnicodeEncodeError:
        raise ValueError("half of a surrogate pair") from None
    except RecursionError:
        raise ValueError("nested too deep") from None
    return value


def text(value: object) -> str:
    """A text that can be written as UTF-8."""
    if not isinstance(value, str):
        raise ValueError(f"not a text: {value!r:.40}")
    value.encode()
    return value


def optional_text(value: object) -> str | None:
    """A text, or None."""
    return None if value is None else text(value)


def count(value: object) -> int:
    """An integer from 0."""
    if type(value) is not int or not 0 <= value < MAX_COUNT:
        raise ValueError(f"not a count: {value!r:.40}")
    return value


def flag(value: object) -> bool:
    """True or false."""
    if not isinstance(value, bool):
        raise ValueError(f"not true or false: {value!r:.40}")
    return value


def percent(value: object) -> float:
    """A number from 0 to 100."""
    if isinstance(value, bool) or not isinstance(value, int | float) or not 0 <= value <= 100:  # noqa: PLR2004 - a percentage
        raise ValueError(f"not a percentage: {value!r:.40}")
    return float(value)


def moment(value: object) -> datetime:
    """A moment with a zone."""
    return read_stored_moment(text(value))


def optional_moment(value: object) -> datetime | None:
    """A moment, or None."""
    return None if value is None else moment(value)


def texts(value: object) -> Mapping[str, str]:
    """An object whose members are texts."""
    if not isinstance(value, dict):
        raise ValueError(f"not an object: {value!r:.40}")
    return {text(name): text(each) for name, each in value.items()}


def moments(value: object) -> Mapping[str, datetime]:
    """An object whose members are moments."""
    return {name: moment(each) for name, each in texts(value).items()}
