"""What a contract is: all that differs between two generations of GEM's API. Pure.

A new generation is a new module with one `Contract`, and one line in `known`.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING, Protocol

from gem_core.gem.job import GemJob, JobStatus
from gem_core.gem.reading import Redact

if TYPE_CHECKING:
    from gem_core.gem.contracts.percent import Percent


class Role(StrEnum):
    """What a column of the output is for."""

    ID = "id"
    """The input's id of the road."""
    GERS_ID = "gers id"
    CONFIDENCE = "confidence"
    STATUS = "status"
    """Whether the row is a match."""


class ColumnType(StrEnum):
    """Which values a column holds."""

    TEXT = "text"
    FLOAT = "float"
    INTEGER_OR_TEXT = "integer or text"


@dataclass(frozen=True, slots=True)
class Column:
    """A column that every output of a contract has."""

    name: str
    type: ColumnType


@dataclass(frozen=True, slots=True)
class OutputFile:
    """The output's columns, and the words of its status column."""

    columns: Mapping[Role, Column]
    matched: str
    unmatched: str


class Statistic(StrEnum):
    """A figure of the job's statistics. The values are the manifest's names."""

    ROADS = "roads"
    MATCHED_SHARE = "matchedShare"
    UNMATCHED_SHARE = "unmatchedShare"
    FULLY_MATCHED_SHARE = "fullyMatchedShare"
    PARTIALLY_MATCHED_SHARE = "partiallyMatchedShare"
    CONFIDENCE_THRESHOLD = "confidenceThreshold"


class ReadJob(Protocol):
    """Reads an answer about a job."""

    def __call__(
        self, answer: object, *, job_run_id: str | None = None, redact: Redact = str
    ) -> GemJob:
        """The job.

        Strict where a mistake would mean to follow the wrong job. A member that is wrong otherwise
        is None, and a line of drift.

        Args:
            answer: any JSON value.
            job_run_id: the job that was asked about; None takes the job that the answer names.
            redact: replaces secrets in every text of the answer.

        Raises:
            GemAnswerError: it is not a JSON object, is about another job, or has no status.

        """
        ...


@dataclass(frozen=True, slots=True)
class Contract:
    """One generation of GEM's API."""

    name: str
    """Stored in records and sent in manifests, so it never changes. Listeners take any name."""
    path: Callable[[str], str]
    """From a job's id to the path of the question about it, below the base address."""
    headers: Callable[[str], Mapping[str, str]]
    """From the setting GEM_API_VERSION to the headers of a question, without key and token."""
    read: ReadJob
    statuses: Mapping[str, JobStatus]
    """GEM's words for a status, and what they mean."""
    output: OutputFile
    statistics: Mapping[Statistic, str]
    """The names of the figures in GEM's answer."""
    read_share: Callable[[object], "Percent"]
    """Reads a share of the statistics. Raises ValueError, which says what is wrong with it."""
