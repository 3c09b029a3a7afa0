"""Numbers and times as the page writes them; shares at the terminal too. Pure."""

from datetime import UTC, datetime
from fractions import Fraction


def count(number: int | None) -> str:
    """1234567 as 1,234,567."""
    return "not known" if number is None else f"{number:,}"


def percent(share: float | Fraction | None) -> str:
    """A share of 0 to 1 to two digits; only all is 100%, and only none is 0%."""
    if share is None:
        return "not known"
    if 0 < share < 0.0001:  # noqa: PLR2004 - a hundredth of a percent
        return "under 0.01%"
    if 0.9999 < share < 1:  # noqa: PLR2004 - as above
        return "over 99.99%"
    return f"{float(share):.2%}"


def size(number: int | None) -> str:
    """Bytes with a readable unit, such as 1.4 MiB (1,430,203 bytes)."""
    if number is None:
        return "not known"
    value, unit = float(number), ""
    for unit in ("bytes", "KiB", "MiB", "GiB", "TiB"):
        if value < 1024 or unit == "TiB":  # noqa: PLR2004 - units
            break
        value /= 1024
    return f"{number:,} bytes" if unit == "bytes" else f"{value:.1f} {unit} ({number:,} bytes)"


def moment(at: datetime | None) -> str:
    """In UTC, to the second."""
    return at.astimezone(UTC).strftime("%Y-%m-%d %H:%M:%S UTC") if at else "not known"


def number_of(many: int, one: str, more: str = "") -> str:
    """1 check, 2 checks."""
    return f"{many:,} {one if many == 1 else more or one + 's'}"
