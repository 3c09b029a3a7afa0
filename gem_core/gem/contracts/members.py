"""What an answer of GEM holds, whichever contract names it. Pure."""

from dataclasses import dataclass, fields
from enum import StrEnum


@dataclass(frozen=True, slots=True)
class Members:
    """The names of an answer's members; empty for one that the contract does not have."""

    job_id: str
    storage_id: str
    input_name: str
    output_name: str
    matching_type: str
    overture_release: str
    created_at: str
    progress: str = ""
    modified_at: str = ""
    message: str = ""
    """Why the job failed."""
    integer_ids: bool = False
    """Whether an id may be an integer too."""
    status: str = "status"
    statistics: str = "statistics"

    @property
    def names(self) -> frozenset[str]:
        """All of them."""
        values = (getattr(self, each.name) for each in fields(self))
        return frozenset(value for value in values if isinstance(value, str) and value)


class Statistic(StrEnum):
    """A figure of the job's statistics. The values are the manifest's names."""

    ROADS = "roads"
    MATCHED_SHARE = "matchedShare"
    UNMATCHED_SHARE = "unmatchedShare"
    FULLY_MATCHED_SHARE = "fullyMatchedShare"
    PARTIALLY_MATCHED_SHARE = "partiallyMatchedShare"
    CONFIDENCE_THRESHOLD = "confidenceThreshold"


class Shares(StrEnum):
    """How an answer writes a share."""

    PERCENT_TEXT = "84.68%"
    PERCENT = "84.68"
    RATIO = "0.8468"
