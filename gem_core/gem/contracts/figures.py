"""The figures of a job's statistics: how one of GEM's pages names and writes them. Pure."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

from gem_core.gem.contracts.members import Shares, Statistic

if TYPE_CHECKING:
    from gem_core.gem.contracts.percent import Percent


@dataclass(frozen=True, slots=True)
class Figures:
    """The figures that a page describes."""

    source: str
    """Whose they are, in the words of the drift."""
    names: Mapping[Statistic, str]
    """In GEM's answer."""
    shares: Shares

    def read_share(self, value: object) -> "Percent":
        """Read a share. Raises ValueError, which says what is wrong with it."""
        # decimal and fractions would slow down the start of the app, which needs neither.
        from gem_core.gem.contracts import percent  # noqa: PLC0415 - as just said

        return percent.READERS[self.shares](value)


OLDEST = Figures(
    "the oldest pages",
    {Statistic.ROADS: "totalRecords", Statistic.MATCHED_SHARE: "matchRate"},
    Shares.PERCENT,
)
"""Of an answer that is in the contract x-version-1 otherwise. Source: TomTom, an early version of
"Get job details". Its other figures (`matchedRecords`, `unmatchedRecords`) follow from these."""
