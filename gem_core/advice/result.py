"""What a new release means for outputs. Pure values."""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from gem_core.advice.fold import Fate


class State(StrEnum):
    """What is known of an output."""

    OUTDATED = "outdated"
    """The new release removed or changed segments that it matched."""
    CURRENT = "current"
    """The new release changed nothing that matters to a match."""
    NOT_OLDER = "not_older"
    """Its release is the new one, or a later one."""
    NOT_VERIFIABLE = "not_verifiable"


@dataclass(frozen=True, slots=True)
class Tally:
    """Distinct ids, and the roads that have them."""

    ids: int = 0
    roads: int = 0

    def to_json(self) -> dict[str, int]:
        """As plain JSON."""
        return {"ids": self.ids, "roads": self.roads}


NAMES: Mapping[Fate, str] = {
    Fate.REMOVED: "removed",
    Fate.RESTORED: "restored",
    Fate.GEOMETRY: "geometryChanged",
    Fate.CLASS: "classChanged",
    Fate.UNKNOWN: "unknownChange",
    Fate.OTHER: "otherChange",
}
"""The members of events and of JSON."""


@dataclass(frozen=True, slots=True)
class Figures:
    """How much of an output a release changed. An id counts for each of its fates."""

    total: Tally
    outdated: Tally
    by_fate: Mapping[Fate, Tally]

    def to_json(self) -> dict[str, Any]:
        """As plain JSON."""
        fates = {name: self.by_fate[fate].to_json() for fate, name in NAMES.items()}
        return {"total": self.total.to_json(), "outdated": self.outdated.to_json(), **fates}


@dataclass(frozen=True, slots=True)
class Advice:
    """What a new release means for one output."""

    name: str
    """Of the file, or the id of the job."""
    release: str | None
    """Of the output, as given."""
    state: State
    reason: str = ""
    """Why it is not verifiable; or empty."""
    read_as: str = ""
    """The patch of its date that stands in for its release; or empty."""
    figures: Figures | None = None
    """When it is outdated or current."""

    def to_json(self) -> dict[str, Any]:
        """As plain JSON."""
        return {
            "name": self.name,
            "release": self.release,
            "state": self.state,
            "reason": self.reason or None,
            "readAs": self.read_as or None,
            "changes": self.figures.to_json() if self.figures else None,
        }
