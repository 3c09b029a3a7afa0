"""Due jobs that a tick hands to another run: how many, and their message. Pure."""

import json
from dataclasses import dataclass
from datetime import datetime, timedelta

from gem_core.errors import RecordUnreadable
from gem_core.moments import moment_text, read_moment
from gem_core.watch.registry import OpenJob

SPAN = timedelta(minutes=1)
"""How long the request rate lets a batch take, at most."""
HANDED_OUT = timedelta(minutes=15)
"""After this time a job of a batch is due again: its message is late or lost."""
DEPTH = 10
"""Batches that may wait on the queue for each lease: ten minutes' work, within `HANDED_OUT`."""


@dataclass(frozen=True, slots=True)
class Plan:
    """How the request rate is divided among batches that run at the same time."""

    size: int
    """Jobs in a batch."""
    concurrency: int
    """Batches at the same time."""

    @property
    def room(self) -> int:
        """Batches that may be on the queue."""
        return self.concurrency * DEPTH

    def delay(self, place: int) -> timedelta:
        """How long the batch at a place of the queue is hidden, so that no more run than leases."""
        return SPAN * (place // self.concurrency)


def plan(size: int, per_second: float) -> Plan:
    """Divide a rate so that a batch takes at most `SPAN`.

    Args:
        size: jobs in a batch, at least 1; a low rate makes batches smaller.
        per_second: requests a second, of all batches together.

    """
    span = per_second * SPAN.total_seconds()
    size = max(1, min(size, int(span)))
    return Plan(size, max(1, int(span / size)))


@dataclass(frozen=True, slots=True)
class Batch:
    """Jobs that are claimed until `until`: before that no other run checks them."""

    until: datetime
    jobs: tuple[OpenJob, ...]

    def to_json(self) -> str:
        """The message."""
        jobs = [
            {
                "jobRunId": job.job_run_id,
                "etag": job.etag,
                "markedAt": moment_text(job.marked_at),
            }
            for job in self.jobs
        ]
        return json.dumps({"until": moment_text(self.until), "jobs": jobs}, separators=(",", ":"))


def batch_from_json(text: str | bytes) -> Batch:
    """Read a message.

    Raises:
        RecordUnreadable: it is not a batch.

    """
    try:
        held = json.loads(text)
        until = read_moment(held["until"])
        return Batch(
            until,
            tuple(
                OpenJob(str(job["jobRunId"]), until, read_moment(job["markedAt"]), str(job["etag"]))
                for job in held["jobs"]
            ),
        )
    except (ValueError, KeyError, TypeError) as error:
        raise RecordUnreadable(f"not a batch of jobs: {error!r}"[:200]) from error
