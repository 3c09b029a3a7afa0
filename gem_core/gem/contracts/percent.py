"""A share as GEM printed it, such as "84.68%", compared with an exact share. Pure."""

from dataclasses import dataclass
from decimal import ROUND_DOWN, ROUND_HALF_EVEN, ROUND_HALF_UP, Decimal
from fractions import Fraction


@dataclass(frozen=True, slots=True)
class Percent:
    """A share in percent."""

    text: str
    """As received, such as "67.5%"."""

    value: Decimal
    """0 to 100, with exactly the printed digits."""

    @property
    def digits(self) -> int:
        """How many digits GEM printed after the point."""
        return -int(self.value.as_tuple().exponent)

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
