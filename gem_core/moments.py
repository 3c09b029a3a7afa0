"""Moments as text: ISO 8601, always with a zone. Pure.

What we write is in UTC. A moment without a zone could be wrong by hours, so it is an error. Only a
hint, which may be wrong without harm, is read leniently.
"""

from datetime import UTC, datetime


def moment_text(moment: datetime) -> str:
    """Write a moment, in UTC."""
    return moment.astimezone(UTC).isoformat()


def optional_moment_text(moment: datetime | None) -> str | None:
    """Write a moment that may be absent."""
    return moment_text(moment) if moment else None


def read_moment(text: str) -> datetime:
    """Read a moment.

    Raises:
        ValueError: it is not ISO 8601, or has no zone.

    """
    moment = datetime.fromisoformat(text)
    if moment.tzinfo is None:
        raise ValueError(f"the moment {text} has no zone")
    return moment


def read_optional_moment(text: str | None) -> datetime | None:
    """Read a moment that may be absent (None or empty). Raises ValueError as `read_moment`."""
    return read_moment(text) if text else None


def read_lenient_moment(text: object) -> datetime | None:
    """Read a hint: without a zone it is UTC; None when it is absent or not ISO 8601."""
    try:
        moment = datetime.fromisoformat(text if isinstance(text, str) else "")
    except ValueError:
        return None
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)
