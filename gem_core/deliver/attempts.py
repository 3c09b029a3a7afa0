"""Counts audits that began and never ended, and stores since when a manifest waits.

Each value is a small document beside the events of the job, and is deleted with the job. It belongs
to one registration and one redelivery, so a redelivery starts at zero. Several deliveries of one
job may run at the same time, so documents are changed by compare-and-set. If the answer to a write
is lost and the SDK repeats the write, the count may be wrong by one.
"""

import hashlib
import json
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from datetime import datetime

from gem_core.errors import AuditStopped, MachineUnfit, OutputError, RecordConflict, StoreError
from gem_core.moments import moment_text, optional_moment_text, read_moment
from gem_core.storage.documents import Documents
from gem_core.watch.record import JobRecord


@dataclass(frozen=True, slots=True)
class _Begun:
    """The number of audits that have begun and not ended, as it is stored in one document."""

    count: int
    name: str
    """The name of the document."""
    etag: str
    """The ETag of the document."""


class Attempts:
    """Stores the counts and times of all jobs."""

    def __init__(self, documents: Documents) -> None:
        self._documents = documents

    @contextmanager
    def counted(self, record: JobRecord, etag: str) -> Iterator[int]:
        """Count an audit of the output with this ETag while it runs.

        Yields the number of audits that have begun and not ended, including this one. The count is
        reduced when the audit ends, or fails for a reason that says nothing about the output. It is
        not reduced when the process dies or another error is raised, AuditUnfinished too, because
        that would happen again each time.

        Raises:
            StoreError: the count could not be increased.

        """
        begun = self._begin(_name(record, "begun", etag))
        try:
            yield begun.count
        except (OutputError, StoreError, AuditStopped, MachineUnfit):
            self._end(begun)
            raise
        self._end(begun)

    def _begin(self, name: str) -> _Begun:
        while True:
            try:
                return _Begun(1, name, self._documents.create(name, _body(1)))
            except RecordConflict:
                stored = self._stored(name)
            if stored:
                with suppress(RecordConflict):
                    return self._write(stored, stored.count + 1)

    def _end(self, begun: _Begun) -> None:
        # A count that is too high by one hardly matters. If it failed the delivery, the result of
        # the audit would be lost, and after ten such audits the output would be `not_audited`.
        with suppress(StoreError):
            self._reduce(begun)

    def _reduce(self, begun: _Begun) -> None:
        stored: _Begun | None = begun
        while stored:
            try:
                if stored.count > 1:
                    self._write(stored, stored.count - 1)
                else:
                    self._documents.delete(stored.name, etag=stored.etag)
            except RecordConflict:
                stored = self._stored(begun.name)
            else:
                return

    def _stored(self, name: str) -> _Begun | None:
        stored = self._documents.get(name)
        return _Begun(json.loads(stored.body)["begun"], name, stored.etag) if stored else None

    def _write(self, stored: _Begun, count: int) -> _Begun:
        etag = self._documents.replace(stored.name, _body(count), etag=stored.etag)
        return _Begun(count, stored.name, etag)

    def waiting_since(self, record: JobRecord, now: datetime) -> datetime:
        """Since when the manifest of this delivery waits; stores `now` if it does not wait yet.

        It is one time for all versions of the output, which may be replaced while it waits.
        """
        name = _name(record, "waits")
        try:
            self._documents.create(name, json.dumps({"since": moment_text(now)}).encode())
        except RecordConflict:
            if stored := self._documents.get(name):
                return read_moment(json.loads(stored.body)["since"])
        return now


def _body(count: int) -> bytes:
    return json.dumps({"begun": count}).encode()


def _name(record: JobRecord, kind: str, etag: str = "") -> str:
    request = optional_moment_text(record.redelivered_at) or ""
    parts = json.dumps([moment_text(record.registered_at), request, etag])
    return f"{record.job_run_id}/{hashlib.sha256(parts.encode()).hexdigest()[:32]}.{kind}"
