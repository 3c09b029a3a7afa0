"""Moments as text: ISO 8601, always with a zone. Pure.

What we write is in UTC. A moment without a zone could be wrong by hours, so it is an error. Only a
hint, which may be wrong without harm, is read leniently. A stored moment may have been edited by a
person, so a moment with which nothing can be calculated is an error too.
"""

from datetime import UTC, datetime

LAST_YEAR = 8999
"""With later years, sums of times leave the calendar of Python."""


def moment_text(moment: datetime) -> str:
    """Write a moment, in UTC."""
    return moment.astimezone(UTC).isoformat()


def optional_moment_text(moment: datetime | None) -> str | None:
    """Write a moment that may be absent."""
    return moment_text(moment) if moment else None


def read_moment(text: str) -> datetime:
    """Read a moment, as UTC.

    Raises:
        ValueError: it is not ISO 8601, has no zone, or is beyond the calendar in UTC.

    """
    moment = datetime.fromisoformat(text)
    if moment.tzinfo is None:
        raise ValueError(f"the moment {text} has no zone")
    return _in_utc(moment)


def read_stored_moment(text: str) -> datetime:
    """Read a moment with which something is calculated.

    Raises:
        ValueError: as `read_moment`, or it is after `LAST_YEAR`.

    """
    moment = read_moment(text)
    if moment.year > LAST_YEAR:
        raise ValueError(f"the moment {text} is not of a plausible year")
    return moment


def read_optional_moment(text: str | None) -> datetime | None:
    """Read a moment that may be absent (None or empty). Raises ValueError as `read_moment`."""
    return read_moment(text) if text else None


def read_lenient_moment(text: object) -> datetime | None:
    """Read a hint: without a zone it is UTC; None when it is absent or no moment."""
    try:
        moment = datetime.fromisoformat(text if isinstance(text, str) else "")
        found = _in_utc(moment if moment.tzinfo else moment.replace(tzinfo=UTC))
    except ValueError:
        return None
    return found if found.year <= LAST_YEAR else None


def _in_utc(moment: datetime) -> datetime:
    try:
        return moment.astimezone(UTC)
    except OverflowError:
        raise ValueError(f"the moment {moment} is not in the calendar") from None
