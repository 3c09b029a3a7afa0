"""Stores records, the worklist and tickets, and defines in which order they are written.

Three containers of `Documents`: one record for each job; the worklist, with a marker for each open
job; tickets, whose writing triggers the delivery. An open record always has a marker: the marker is
written before the record that needs it, and deleted after the record that does not. A marker is a
hint (when to read the record); the record is the truth.

A marker without an open record may belong to a process that is just about to open the record. So
only the tick deletes such a marker, and only when it is old.

A job is claimed by its marker: before a process asks GEM it moves the marker to a later moment, by
compare-and-set. Other processes then see that the job is not due. If the claimant dies the job is
due again at that moment.
"""

import json
from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from heapq import nlargest

from gem_core.errors import RecordConflict
from gem_core.moments import moment_text, optional_moment_text, read_lenient_moment
from gem_core.storage.documents import Documents
from gem_core.watch.record import JobRecord, Stage
from gem_core.watch.record_json import record_from_bytes, record_to_bytes

MARKER_PREFIX = "jobs/"
SUFFIX = ".json"
ORPHAN_AGE = timedelta(hours=1)
"""A marker without an open record may belong to a registration or redelivery that is under way; not
after this, which is more than the function timeout of host.json."""
_AT_ONCE = datetime.fromtimestamp(0, UTC)
"""When a job is due if its marker has no readable moment."""


@dataclass(frozen=True, slots=True)
class StoredRecord:
    """A record and the version of it that was read."""

    record: JobRecord
    etag: str


@dataclass(frozen=True, slots=True)
class OpenJob:
    """A line of the worklist."""

    job_run_id: str
    due_at: datetime
    marked_at: datetime
    """When the marker was written, without claims."""
    etag: str
    """Of the marker: only this version may be deleted or claimed."""


@dataclass(frozen=True, slots=True)
class JobLine:
    """A job in a listing, without reading its record."""

    job_run_id: str
    stage: str
    status: str
    """GEM's last word when it is a documented one, else empty."""
    outcome: str
    changed_at: datetime
    """When its record was last written."""


@dataclass(frozen=True, slots=True)
class JobPage:
    """Part of the listing of all jobs, by id."""

    jobs: tuple[JobLine, ...]
    next_page: str | None


class JobRegistry:
    """The registered jobs."""

    def __init__(self, *, jobs: Documents, worklist: Documents, tickets: Documents) -> None:
        self._jobs = jobs
        self._worklist = worklist
        self._tickets = tickets

    def get(self, job_run_id: str) -> StoredRecord | None:
        """The record, or None when the job is not registered. Raises RecordUnreadable."""
        held = self._jobs.get(_record_name(job_run_id))
        return StoredRecord(record_from_bytes(held.body), held.etag) if held else None

    def add(self, record: JobRecord) -> StoredRecord | None:
        """Store a new job; None when its id is already registered."""
        self.mark_open(record)
        try:
            etag = self._jobs.create(
                _record_name(record.job_run_id), record_to_bytes(record), metadata=_line(record)
            )
        except RecordConflict:
            return None
        # Once more: meanwhile another caller may have registered the job, and it was delivered and
        # forgotten. That delivery is about to delete the marker that it saw.
        self.mark_open(record)
        return StoredRecord(record, etag)

    def replace(self, stored: StoredRecord, record: JobRecord) -> StoredRecord:
        """Store the next version of a record. Raises RecordConflict when it is not the next one."""
        closes = record.stage is Stage.DELIVERED
        marker = self._worklist.get(MARKER_PREFIX + record.job_run_id) if closes else None
        if not closes:
            self.mark_open(record)
        etag = self._write(stored, record)
        if marker:
            self.unmark(record.job_run_id, etag=marker.etag)
        return StoredRecord(record, etag)

    def _write(self, stored: StoredRecord, record: JobRecord) -> str:
        return self._jobs.replace(
            _record_name(record.job_run_id),
            record_to_bytes(record),
            etag=stored.etag,
            metadata=_line(record),
        )

    def claim(self, job: OpenJob, until: datetime) -> OpenJob | None:
        """Claim the job until then; None when its marker has changed."""
        try:
            etag = self._worklist.replace(
                MARKER_PREFIX + job.job_run_id,
                b"",
                etag=job.etag,
                metadata={"due": moment_text(until), "marked": moment_text(job.marked_at)},
            )
        except RecordConflict:
            return None
        return replace(job, due_at=until, etag=etag)

    def replace_claimed(self, stored: StoredRecord, record: JobRecord, claim: OpenJob) -> None:
        """Store the next version of an open record that this process has claimed; end the claim.

        The marker exists, so the record may be written first. The marker is not written when the
        claim ends at the same moment at which the record is due.

        Raises:
            RecordConflict: it is not the next version.

        """
        self._write(stored, record)
        if record.due_at != claim.due_at:
            self.claim(claim, record.due_at)

    def remove(self, job_run_id: str) -> None:
        """Delete a record. Its marker stays: it may belong to a new registration by now."""
        self._jobs.delete(_record_name(job_run_id))

    def mark_open(self, record: JobRecord) -> None:
        """Put the job on the worklist, or change when it is due."""
        metadata = {"due": moment_text(record.due_at)}
        self._worklist.put(MARKER_PREFIX + record.job_run_id, b"", metadata=metadata)

    def unmark(self, job_run_id: str, *, etag: str) -> bool:
        """Delete the marker, unless it has changed; whether it was deleted.

        A process that opens the job again at the same moment has written a new marker, which must
        stay.
        """
        try:
            self._worklist.delete(MARKER_PREFIX + job_run_id, etag=etag)
        except RecordConflict:
            return False
        return True

    def open_jobs(self) -> Iterator[OpenJob]:
        """The worklist, by id: one listing, whatever the number of settled jobs."""
        for marker in self._worklist.every(prefix=MARKER_PREFIX):
            yield OpenJob(
                marker.name.removeprefix(MARKER_PREFIX),
                read_lenient_moment(marker.metadata.get("due")) or _AT_ONCE,
                read_lenient_moment(marker.metadata.get("marked")) or marker.last_modified,
                marker.etag,
            )

    def raise_ticket(self, record: JobRecord) -> None:
        """Write the ticket of a settled job; the write itself triggers the delivery."""
        ticket = {
            "jobRunId": record.job_run_id,
            "settlement": record.settlement,
            "settledAt": optional_moment_text(record.settled_at),
            "tickets": record.tickets,
        }
        self._tickets.put(record.job_run_id + SUFFIX, json.dumps(ticket).encode())

    def newest(self, count: int) -> list[str]:
        """The jobs whose records were written last, the newest first: one listing of all jobs."""
        records = (item for item in self._jobs.every() if item.name.endswith(SUFFIX))
        latest = nlargest(count, records, key=lambda item: item.last_modified)
        return [item.name.removesuffix(SUFFIX) for item in latest]

    def page(self, *, stage: Stage | None, size: int, after: str | None) -> JobPage:
        """One page of all jobs; with a stage, only those of the page that are in it."""
        page = self._jobs.page(size=size, after=after)
        lines = (
            JobLine(
                item.name.removesuffix(SUFFIX),
                item.metadata.get("stage", ""),
                item.metadata.get("status", ""),
                item.metadata.get("outcome", ""),
                item.last_modified,
            )
            for item in page.items
            if item.name.endswith(SUFFIX)
        )
        return JobPage(
            tuple(line for line in lines if stage is None or line.stage == stage), page.next_page
        )


def ticket_job_run_id(blob_name: str) -> str:
    """The job id of a ticket, from the blob's name ("gem-tickets/{jobRunId}.json")."""
    return blob_name.rpartition("/")[2].removesuffix(SUFFIX)


def _record_name(job_run_id: str) -> str:
    return job_run_id + SUFFIX


def _line(record: JobRecord) -> dict[str, str]:
    """Only members of enums: metadata is sent in HTTP headers, which must not contain GEM's text.

    An empty value is left out: not every service accepts it, or returns it unchanged.
    """
    status = record.job.status if record.job else None
    words = {"stage": record.stage, "status": status, "outcome": record.outcome}
    return {name: word for name, word in words.items() if word}
