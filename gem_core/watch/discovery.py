"""Which jobs of GEM's list are added by themselves, and when GEM is asked for the list."""

import json
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from gem_core.errors import RecordConflict, RequestError
from gem_core.gem.job import GemJob
from gem_core.moments import moment_text, read_lenient_moment
from gem_core.storage.documents import Documents
from gem_core.watch.json_types import read_json
from gem_core.watch.record import JobRecord
from gem_core.watch.registration import parse_job_run_id

NAME = "discovery.json"
LABELS = {"discovered": "true"}
"""The labels of a discovered job, until somebody registers it."""
CLOCK_SLACK = timedelta(minutes=5)
"""How far GEM's clock may be ahead of ours."""


@dataclass(slots=True)
class Discovery:
    """What is discovered, and when GEM was asked last."""

    documents: Documents
    """Of the worklist."""
    prefixes: tuple[str, ...]
    """The name of a job's input begins with one of them."""
    max_age: timedelta
    """Older jobs are not added."""
    every: timedelta
    """The time between two questions."""
    _not_before: datetime | None = field(default=None)
    """What this process knows of the next question, so that most ticks read nothing."""

    def may_be_due(self, now: datetime) -> bool:
        """Whether it may be time to ask, as far as this process knows."""
        return not (self._not_before and now < self._not_before <= now + self.every)

    def claim(self, now: datetime) -> bool:
        """Whether it is time to ask, and no other process does. Raises StoreError.

        If the process dies afterwards, the next question is asked when its time comes.
        """
        stored = self.documents.get(NAME)
        asked_at = _asked_at(stored.body) if stored else None
        self._not_before = now + self.every
        if asked_at and now < asked_at + self.every <= now + self.every:
            self._not_before = asked_at + self.every
            return False
        body = json.dumps({"askedAt": moment_text(now)}).encode()
        try:
            if stored:
                self.documents.replace(NAME, body, etag=stored.etag)
            else:
                self.documents.create(NAME, body)
        except RecordConflict:
            return False
        return True

    def wants(self, job: GemJob, now: datetime) -> bool:
        """Whether a job of the list is to be added if it is unknown."""
        if job.created_at is None or job.input_name is None:
            return False
        try:
            parse_job_run_id(job.job_run_id)
        except RequestError:
            return False
        age = now - job.created_at
        return -CLOCK_SLACK <= age < self.max_age and job.input_name.startswith(self.prefixes)


def discovered(job_run_id: str, now: datetime) -> JobRecord:
    """The first record of a discovered job. Nothing of the list is in it but the id."""
    return JobRecord(
        job_run_id, registered_at=now, due_at=now, labels=dict(LABELS), discovered=True
    )


def _asked_at(body: bytes) -> datetime | None:
    try:
        return read_lenient_moment(read_json(body).get("askedAt"))
    except (ValueError, AttributeError):
        return None
