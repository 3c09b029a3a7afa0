"""Stores records, the worklist and tickets, and defines in which order they are written.

There are three containers: records, one for each job; the worklist, with a marker for each open
job; and tickets. Writing a ticket triggers the delivery. An open record always has a marker: it is
written before the record is opened, and deleted after the record is closed. A marker only says when
to read the record; the record decides.

A marker without an open record may belong to a process that is just about to open the record. So
only a tick deletes such a marker, when it is an hour old by storage's clock.

A process claims a job before it asks GEM: it changes the marker to a later time, by
compare-and-set. Other processes then see that the job is not due. If this process dies, the job is
due again at that time.
"""

import json
from collections.abc import Callable, Iterable, Iterator
from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from heapq import nlargest

from gem_core.errors import RecordConflict, RecordUnreadable, RequestError
from gem_core.moments import optional_moment_text
from gem_core.storage.documents import Documents, Listed, put_anew
from gem_core.storage.names import TICKETS
from gem_core.watch.listed_jobs import JobPage, ListedJob
from gem_core.watch.marker import (
    MARKER_PREFIX,
    JobState,
    OpenJob,
    first_metadata,
    marker_words,
    read_marker,
)
from gem_core.watch.record import JobRecord, Stage
from gem_core.watch.record_json import record_from_bytes, record_to_bytes
from gem_core.watch.registration import parse_job_run_id
from gem_core.watch.tombstones import Tombstones

SUFFIX = ".json"
ORPHAN_AGE = timedelta(hours=1)
"""How old a marker without an open record must be before it is deleted. A younger one may belong to
a registration or redelivery that is still running: this is longer than the function timeout in
host.json."""


@dataclass(frozen=True, slots=True)
class StoredRecord:
    """A record and the ETag of the version that was read."""

    record: JobRecord
    etag: str


class JobRegistry:
    """The registered jobs."""

    def __init__(self, *, jobs: Documents, worklist: Documents, tickets: Documents) -> None:
        self._jobs = jobs
        self._worklist = worklist
        self._tickets = tickets
        self.tombstones = Tombstones(worklist)

    def get(self, job_run_id: str) -> StoredRecord | None:
        """Read the record; None when the job is not registered. Raises RecordUnreadable."""
        stored = self._jobs.get(record_name(job_run_id))
        if stored is None:
            return None
        record = record_from_bytes(stored.body)
        if record.job_run_id != job_run_id:
            raise RecordUnreadable(f"it is the record of the job {record.job_run_id[:40]!r}")
        return StoredRecord(record, stored.etag)

    def add(self, record: JobRecord) -> StoredRecord | None:
        """Store a new job; None when its id is registered already."""
        self.mark_open(record)
        try:
            etag = self._jobs.create(
                record_name(record.job_run_id), record_to_bytes(record), metadata=_metadata(record)
            )
        except RecordConflict:
            return None
        # Write the marker again. Meanwhile another process may have registered the job, and the job
        # was delivered and deleted; that delivery then deletes the marker that it has read.
        self.mark_open(record)
        return StoredRecord(record, etag)

    def replace(self, stored: StoredRecord, record: JobRecord) -> StoredRecord:
        """Store a changed record. Raises RecordConflict when another process changed it first."""
        closes = record.stage is Stage.DELIVERED
        marker = self._worklist.etag(MARKER_PREFIX + record.job_run_id) if closes else None
        if not closes:
            self.mark_open(record)
        etag = self._write(stored, record)
        if marker:
            self.unmark(record.job_run_id, etag=marker)
        return StoredRecord(record, etag)

    def change_delivery(
        self, stored: StoredRecord, how: Callable[[JobRecord], JobRecord]
    ) -> StoredRecord | None:
        """Change the record of a delivery, even if other processes change it at the same time.

        Args:
            stored: the record as this delivery knows it.
            how: makes the changed record; called again for each record that it meets.

        Returns:
            The changed record. None if nobody waits for this delivery any more: the job was
            delivered, deleted, registered again, or another delivery of it was requested.

        """
        found: StoredRecord | None = stored
        while (
            found
            and found.record.stage is Stage.SETTLED
            and found.record.is_same_delivery(stored.record)
        ):
            changed = how(found.record)
            try:
                if changed.stage is Stage.SETTLED and changed.due_at >= found.record.due_at:
                    # The marker stays. If it is early, a tick reads the record and moves it.
                    return StoredRecord(changed, self._write(found, changed))
                return self.replace(found, changed)
            except RecordConflict:
                found = self.get(changed.job_run_id)
                if found and found.record == changed:
                    return found  # the first try arrived, and the SDK repeated it
        return None

    def _write(self, stored: StoredRecord, record: JobRecord) -> str:
        return self._jobs.replace(
            record_name(record.job_run_id),
            record_to_bytes(record),
            etag=stored.etag,
            metadata=_metadata(record),
        )

    def claim(self, job: OpenJob, until: datetime, state: JobState | None = None) -> OpenJob | None:
        """Claim the job until this time; None when another process has changed its marker.

        With a state, the marker says this one from now on.
        """
        claimed = replace(job, due_at=until).in_state(state)
        try:
            etag = self._worklist.replace(
                MARKER_PREFIX + job.job_run_id, b"", etag=job.etag, metadata=claimed.metadata()
            )
        except RecordConflict:
            return None
        return replace(claimed, etag=etag)

    def replace_claimed(self, stored: StoredRecord, record: JobRecord, claim: OpenJob) -> None:
        """Store a changed open record that this process has claimed, and end the claim.

        The marker exists, so the record may be written first. The marker is not written again when
        the claim ends at the time at which the record is due, and shows what it should.

        Raises:
            RecordConflict: another process changed the record first.

        """
        self._write(stored, record)
        if record.due_at != claim.due_at or claim.shown != marker_words(record):
            self.claim(claim.showing(record), record.due_at)

    def remove(self, job_run_id: str) -> None:
        """Delete a record. Its marker stays, because it may now belong to a new registration.

        The tombstone is written first: a reader that finds no record afterwards finds the
        tombstone.
        """
        self.tombstones.write(job_run_id)
        self._jobs.delete(record_name(job_run_id))

    def withdraw(self, stored: StoredRecord) -> None:
        """Delete a record unless somebody has changed it. No tombstone is written."""
        with suppress(RecordConflict):
            self._jobs.delete(record_name(stored.record.job_run_id), etag=stored.etag)

    def mark_open(self, record: JobRecord) -> None:
        """Write the job's marker, which puts the job on the worklist or changes when it is due."""
        self._worklist.put(MARKER_PREFIX + record.job_run_id, b"", metadata=first_metadata(record))

    def unmark(self, job_run_id: str, *, etag: str) -> bool:
        """Delete the marker unless it has changed; returns whether it was deleted.

        If another process opens the job again at the same time, it has written a new marker, which
        must stay.
        """
        try:
            self._worklist.delete(MARKER_PREFIX + job_run_id, etag=etag)
        except RecordConflict:
            return False
        return True

    def close(self, job: OpenJob, look_again: datetime) -> bool:
        """Delete a marker without an open record if it is old; returns whether it was deleted.

        A younger marker is due again at `look_again`. The age is the time between two writes of the
        marker: the one that opened the job, and a claim just now. So only storage's clock counts.
        """
        claim = self.claim(job, look_again, JobState.CLOSED)
        if claim is None:
            return False
        page = self._worklist.page(prefix=MARKER_PREFIX + job.job_run_id, size=1)
        is_old = any(
            marker.etag == claim.etag and marker.last_modified - claim.marked_at >= ORPHAN_AGE
            for marker in page.items
        )
        return is_old and self.unmark(job.job_run_id, etag=claim.etag)

    def open_jobs(self) -> Iterator[OpenJob]:
        """The worklist, ordered by id. This is one listing; delivered jobs cost nothing."""
        return map(read_marker, self._worklist.every(prefix=MARKER_PREFIX))

    def first_open_jobs(self, count: int) -> tuple[list[OpenJob], bool]:
        """At most `count` (5,000 or less) open jobs in one request; and whether there are more."""
        page = self._worklist.page(prefix=MARKER_PREFIX, size=count)
        return list(map(read_marker, page.items)), page.next_page is not None

    def raise_ticket(self, record: JobRecord) -> None:
        """Write the ticket of a settled job. This triggers the delivery."""
        ticket = {
            "jobRunId": record.job_run_id,
            "settlement": record.settlement,
            "settledAt": optional_moment_text(record.settled_at),
            "tickets": record.tickets,
        }
        put_anew(self._tickets, record.job_run_id + SUFFIX, json.dumps(ticket).encode())

    def newest(
        self, count: int, is_wanted: Callable[[ListedJob], bool] = lambda _job: True
    ) -> list[ListedJob]:
        """The jobs whose records were written last, the newest first. Lists all jobs."""
        wanted = filter(is_wanted, _listed(self._jobs.every()))
        return nlargest(count, wanted, key=lambda job: job.change)

    def page(self, *, size: int, after: str | None) -> JobPage:
        """One page of all jobs, in the order of the names of their records."""
        page = self._jobs.page(size=size, after=after)
        return JobPage(tuple(_listed(page.items)), page.next_page)


def _listed(items: Iterable[Listed]) -> Iterator[ListedJob]:
    for item in items:
        if item.name.endswith(SUFFIX):
            yield ListedJob(
                item.name.removesuffix(SUFFIX),
                item.metadata.get("stage", ""),
                item.metadata.get("status", ""),
                item.metadata.get("outcome", ""),
                item.last_modified,
            )


def ticket_job_run_id(path: str) -> str | None:
    """The job id of a ticket, from container and name of its blob ("gem-tickets/{jobRunId}.json").

    None for any other blob. The host does not compare an event with the path of the trigger, so
    events about other blobs reach the app.
    """
    container, _, name = path.partition("/")
    if container != TICKETS or not name.endswith(SUFFIX):
        return None
    try:
        return parse_job_run_id(name.removesuffix(SUFFIX))
    except RequestError:
        return None


def record_name(job_run_id: str) -> str:
    """The name of the document that holds the record of a job."""
    return job_run_id + SUFFIX


def _metadata(record: JobRecord) -> dict[str, str]:
    """The metadata of a record, which a listing shows.

    It has only values of enums, because metadata is sent in HTTP headers, which must not contain
    GEM's text. Empty values are left out, because not every service returns them unchanged.
    """
    status = record.job.status if record.job else None
    words = {"stage": record.stage, "status": status, "outcome": record.outcome}
    return {name: word for name, word in words.items() if word}
