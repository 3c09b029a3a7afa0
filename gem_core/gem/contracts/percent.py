"""A share as GEM prints it, "84.68%" or 0.8468: read strictly, compared with exact shares. Pure."""

import re
from dataclasses import dataclass
from decimal import ROUND_DOWN, ROUND_HALF_EVEN, ROUND_HALF_UP, Decimal
from fractions import Fraction

from gem_core.gem.contracts.members import Shares

_FORM = re.compile(r"([0-9]{1,3})(?:\.([0-9]{1,12}))?%", re.ASCII)
_WHOLE = Decimal(100)


@dataclass(frozen=True, slots=True)
class Percent:
    """A share in percent."""

    text: str
    """As received, such as "67.5%" or "0.675"."""

    value: Decimal
    """0 to 100, with exactly the printed digits."""

    @property
    def digits(self) -> int:
        """How many digits GEM printed after the point."""
        return max(0, -int(self.value.as_tuple().exponent))

    def prints(self, share: Fraction) -> bool:
        """Whether an exact share (0 to 1) rounds or truncates to the printed digits.

        GEM's pages do not say which of the two GEM does. The example of "Get job details"
        (84.68 + 15.31) needs truncation, so both are accepted.
        """
        exact = Decimal(share.numerator * 100) / Decimal(share.denominator)
        unit = Decimal(1).scaleb(-self.digits)
        return any(
            exact.quantize(unit, rounding) == self.value
            for rounding in (ROUND_DOWN, ROUND_HALF_UP, ROUND_HALF_EVEN)
        )

    def points_from(self, share: Fraction) -> float:
        """The distance to an exact share (0 to 1), in percentage points."""
        return abs(float(Fraction(self.value) - share * 100))


def read_percent(value: object) -> Percent:
    """Read a percent string.

    Raises:
        ValueError: it is not digits, an optional point with digits, and a percent sign, or it is
            above 100. Spaces, signs, commas and words such as "NaN%" are not accepted.

    """
    if not isinstance(value, str):
        raise ValueError(f"expected a percent string, got {type(value).__name__}")
    if not _FORM.fullmatch(value):
        raise ValueError(f"{value[:20]!r} is not a percent string such as '84.68%'")
    number = Decimal(value[:-1])
    if number > _WHOLE:
        raise ValueError(f"{value!r} is above 100%")
    return Percent(value, number)


def read_percent_number(value: object) -> Percent:
    """Read a number from 0 to 100. Raises ValueError: it is not one."""
    return Percent(repr(value), _number(value, most=100))


def read_ratio(value: object) -> Percent:
    """Read a number from 0 to 1. Raises ValueError: it is not one."""
    return Percent(repr(value), _number(value, most=1).scaleb(2))


def _number(value: object, *, most: int) -> Decimal:
    """A number with the digits of its shortest form."""
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise ValueError(f"expected a number, got {type(value).__name__}")
    if not 0 <= value <= most:
        raise ValueError(f"{str(value)[:20]} is not within 0 to {most}")
    return Decimal(repr(value))


READERS = {
    Shares.PERCENT_TEXT: read_percent,
    Shares.PERCENT: read_percent_number,
    Shares.RATIO: read_ratio,
}
