"""Checks the types of values in stored JSON, which a person may have edited. Pure.

Each function returns the value, and raises ValueError if it has another type or is out of range.
"""

from collections.abc import Mapping
from datetime import datetime

from gem_core.moments import read_moment

MAX_COUNT = 2**53
"""Integers below are exact in any reader of JSON (RFC 8259, section 6)."""
YEARS = range(1, 9000)
"""With other years, sums of times leave the calendar."""


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
    """A moment with a zone, of a year in `YEARS`."""
    found = read_moment(text(value))
    if found.year not in YEARS:
        raise ValueError(f"the moment {value} is not of a plausible year")
    return found


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
