"""Batches of due jobs that a tick sends to another run: their size and their message. Pure."""

import json
from dataclasses import dataclass
from datetime import datetime, timedelta

from gem_core.errors import RecordUnreadable
from gem_core.moments import moment_text, read_stored_moment
from gem_core.watch.json_types import read_json
from gem_core.watch.marker import OpenJob

BATCH_TIME = timedelta(minutes=1)
"""How long the requests of one batch may take at the configured rate."""
CLAIM_TIME = timedelta(minutes=15)
"""After this time a job of a batch is due again, because its message is late or lost."""
BATCHES_PER_LEASE = 10
"""Batches that may wait on the queue for each lease: ten minutes of work, so that each batch runs
before its claims end."""


@dataclass(frozen=True, slots=True)
class BatchPlan:
    """How due jobs are divided into batches, so that all of them together keep the request rate."""

    size: int
    """Jobs in a batch."""
    concurrency: int
    """Batches that run at the same time."""

    @property
    def max_waiting(self) -> int:
        """Batches that may wait on the queue."""
        return self.concurrency * BATCHES_PER_LEASE

    def delay(self, position: int) -> timedelta:
        """How long to hide the batch at this position of the queue (the first is 0).

        So at most `concurrency` batches are visible in each `BATCH_TIME`.
        """
        return BATCH_TIME * (position // self.concurrency)


def plan_batches(size: int, per_second: float) -> BatchPlan:
    """Divide a rate so that a batch takes at most `BATCH_TIME`.

    Args:
        size: jobs in a batch, at least 1; at a low rate batches are smaller.
        per_second: requests per second, of all batches together.

    """
    requests = per_second * BATCH_TIME.total_seconds()
    size = max(1, min(size, int(requests)))
    return BatchPlan(size, max(1, int(requests / size)))


@dataclass(frozen=True, slots=True)
class Batch:
    """Jobs that are claimed until `until`. Before that time no other run checks them."""

    until: datetime
    jobs: tuple[OpenJob, ...]

    def to_json(self) -> str:
        """The message of this batch."""
        jobs = [
            {
                "jobRunId": job.job_run_id,
                "etag": job.etag,
                "markedAt": moment_text(job.marked_at),
                **({"state": job.state} if job.state else {}),
            }
            for job in self.jobs
        ]
        return json.dumps({"until": moment_text(self.until), "jobs": jobs}, separators=(",", ":"))


def batch_from_json(text: str | bytes) -> Batch:
    """Read the message of a batch.

    Raises:
        RecordUnreadable: the message is not a batch.

    """
    try:
        values = read_json(text)
        until = read_stored_moment(values["until"])
        return Batch(
            until,
            tuple(
                OpenJob(
                    str(job["jobRunId"]),
                    until,
                    read_stored_moment(job["markedAt"]),
                    str(job["etag"]),
                    {"state": str(job["state"])} if "state" in job else {},
                )
                for job in values["jobs"]
            ),
        )
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise RecordUnreadable(f"not a batch of jobs: {error!r}"[:200]) from error
