"""How long GEM may take for so many roads, by what its pages say. Pure."""

from dataclasses import dataclass
from fractions import Fraction

from gem_core.gem.contracts.unversioned import UNVERSIONED
from gem_core.gem.contracts.x_version_1 import X_VERSION_1


@dataclass(frozen=True, slots=True)
class Pace:
    """Roads an hour, and where the figure is from."""

    roads_an_hour: int
    source: str


PACES = (
    Pace(
        round(Fraction(32_456 * 3600) / Fraction("9751.75")),
        f'"Get job details" ({X_VERSION_1.name}): 32,456 roads in 9,751.75 s',
    ),
    Pace(100_000, '"Technical details": about 100,000 road segments an hour'),
    Pace(
        round(Fraction(397_613 * 3600, 9751)),
        f'"Get job details" ({UNVERSIONED.name}): 397,613 roads in 9,751 s',
    ),
)
"""From slow to fast."""


@dataclass(frozen=True, slots=True)
class Hours:
    """A range of hours."""

    least: float
    most: float

    def __str__(self) -> str:
        if self.most >= 1:
            return f"{self.least:.1f} to {self.most:.1f} hours"
        least, most = (f"{max(hours * 60, 1):.0f}" for hours in (self.least, self.most))
        if most == "1":
            return "about a minute"
        return f"{least} to {most} minutes"


def hours_for(roads: int) -> Hours:
    """The hours by the fastest and the slowest published pace. How long a job waits is unknown."""
    return Hours(roads / PACES[-1].roads_an_hour, roads / PACES[0].roads_an_hour)
