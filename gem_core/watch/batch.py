"""Due jobs that are handed to another function run: how many at once, and their message. Pure."""

import json
from dataclasses import dataclass
from datetime import datetime, timedelta

from gem_core.errors import RecordUnreadable
from gem_core.moments import moment_text, read_moment
from gem_core.watch.registry import OpenJob

SPAN = timedelta(minutes=1)
"""How long a batch takes at most, as far as the request rate is concerned."""
HANDED_OUT = timedelta(minutes=15)
"""After this a job that was handed out is due again: its message is late, or lost."""
DEPTH = 10
"""Batches that may wait on the queue for each lease: ten minutes' work, within `HANDED_OUT`."""


@dataclass(frozen=True, slots=True)
class Plan:
    """How the request rate is divided among batches that run side by side."""

    size: int
    """Jobs of a batch."""
    concurrency: int
    """Batches at once."""

    @property
    def room(self) -> int:
        """Batches that may lie on the queue."""
        return self.concurrency * DEPTH

    def delay(self, place: int) -> timedelta:
        """How long the batch at a place of the queue is hidden, so that no more run than leases."""
        return SPAN * (place // self.concurrency)


def plan(size: int, per_second: float) -> Plan:
    """Divide a rate so that a batch is asked about within `SPAN`.

    Args:
        size: jobs of a batch that the operator wants, at least 1; a low rate makes it smaller.
        per_second: questions a second, all batches together.

    """
    span = per_second * SPAN.total_seconds()
    size = max(1, min(size, int(span)))
    return Plan(size, max(1, int(span / size)))


@dataclass(frozen=True, slots=True)
class Batch:
    """Jobs whose markers were moved to `until` for it: until then nobody else looks at them."""

    until: datetime
    jobs: tuple[OpenJob, ...]

    def to_json(self) -> str:
        """The message."""
        jobs = [[job.job_run_id, job.etag, moment_text(job.marked_at)] for job in self.jobs]
        return json.dumps({"until": moment_text(self.until), "jobs": jobs}, separators=(",", ":"))


def batch_from_json(text: str | bytes) -> Batch:
    """Read a message.

    Raises:
        RecordUnreadable: it is none of ours.

    """
    try:
        held = json.loads(text)
        until = read_moment(held["until"])
        return Batch(
            until,
            tuple(
                OpenJob(str(job_run_id), until, read_moment(marked_at), str(etag))
                for job_run_id, etag, marked_at in held["jobs"]
            ),
        )
    except (ValueError, KeyError, TypeError) as error:
        raise RecordUnreadable(f"not a batch of jobs: {error!r}"[:200]) from error
