"""A job of GEM in neutral words, whichever contract GEM answered in. Pure."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Any

IMPOSSIBLE_JOB = "job-000000-000000"
"""A job id that does not exist. It has the form of GEM's ids, so GEM has no other reason to refuse
it."""


class JobStatus(StrEnum):
    """Where a job stands. Each contract says which of its words means which."""

    QUEUED = "queued"
    RUNNING = "running"
    FINISHED = "finished"
    FAILED = "failed"
    CANCELLED = "cancelled"

    @property
    def is_final(self) -> bool:
        """Whether the job has ended."""
        return self in {JobStatus.FINISHED, JobStatus.FAILED, JobStatus.CANCELLED}


@dataclass(frozen=True, slots=True)
class GemJob:
    """GEM's answer about one job. A field that GEM left out, or sent in a wrong type, is None."""

    job_run_id: str
    contract: str
    """The name of the contract that the answer was read in; see `gem.contracts`."""

    status_text: str
    """The status as GEM wrote it, also when its contract does not have that word."""

    answer: Mapping[str, Any] = field(repr=False)
    """The whole answer as received, unknown members kept."""

    status: JobStatus | None = None
    """None when the contract does not have GEM's word."""

    storage_id: str | None = None
    input_name: str | None = None
    output_name: str | None = None
    """As GEM names it."""
    promised_output: str | None = None
    """The output's name by the pattern of the contract; None when GEM names no input."""

    matching_type: str | None = None
    overture_release: str | None = None
    progress: float | None = None
    """Percent, 0 to 100."""

    created_at: datetime | None = None
    modified_at: datetime | None = None
    message: str | None = None
    """Why the job failed, as GEM says."""
    statistics: Mapping[str, Any] = field(default_factory=dict)
    """As received; the audit reads each figure strictly."""

    drift: tuple[str, ...] = ()
    """Where the answer departs from its contract, one sentence each."""
