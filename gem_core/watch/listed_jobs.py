"""What a listing of all jobs shows. Pure values; no record was read."""

from dataclasses import dataclass
from datetime import datetime


@dataclass(frozen=True, slots=True)
class ListedJob:
    """A job in a listing; its record was not read."""

    job_run_id: str
    stage: str
    status: str
    """GEM's last status; empty when it is not a documented one."""
    outcome: str
    changed_at: datetime
    """When its record was last written."""

    @property
    def change(self) -> tuple[datetime, str]:
        """Its place in an order by change. Storage gives whole seconds, so the id decides too."""
        return self.changed_at, self.job_run_id


@dataclass(frozen=True, slots=True)
class JobPage:
    """One page of the listing of all jobs, in the order of the names of their records."""

    jobs: tuple[ListedJob, ...]
    next_page: str | None
