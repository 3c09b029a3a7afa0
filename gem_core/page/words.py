"""Formats numbers and times for the page, and shares for the terminal. Pure."""

from datetime import UTC, datetime
from fractions import Fraction


def count(number: int | None) -> str:
    """A number with thousands separators, such as 1,234,567."""
    return "not known" if number is None else f"{number:,}"


def percent(share: float | Fraction | None) -> str:
    """A share from 0 to 1 in percent with two decimals. Only 1 gives 100%, and only 0 gives 0%."""
    if share is None:
        return "not known"
    if 0 < share < 0.0001:  # noqa: PLR2004 - a hundredth of a percent
        return "under 0.01%"
    if 0.9999 < share < 1:  # noqa: PLR2004 - as above
        return "over 99.99%"
    return f"{float(share):.2%}"


def size(number: int | None) -> str:
    """A number of bytes with a suitable unit, such as 1.4 MiB (1,430,203 bytes)."""
    if number is None:
        return "not known"
    value, unit = float(number), ""
    for unit in ("bytes", "KiB", "MiB", "GiB", "TiB"):
        if value < 1024 or unit == "TiB":  # noqa: PLR2004 - units
            break
        value /= 1024
    return f"{number:,} bytes" if unit == "bytes" else f"{value:.1f} {unit} ({number:,} bytes)"


def moment(at: datetime | None) -> str:
    """A moment in UTC, to the second."""
    return at.astimezone(UTC).strftime("%Y-%m-%d %H:%M:%S UTC") if at else "not known"


def number_of(many: int, one: str, more: str = "") -> str:
    """A number and its noun, such as "1 check" or "2 checks"; `more` is an irregular plural."""
    return f"{many:,} {one if many == 1 else more or one + 's'}"
