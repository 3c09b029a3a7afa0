"""How often an audit began and never ended, and how long trouble has kept a manifest back.

One small document each, beside the events of the job: they go when the job is forgotten. Each
belongs to one registration and one redelivery, so whoever asks again starts at zero. Documents are
changed by compare-and-set: deliveries of one job may run side by side. A write that storage repeats
by itself, since its answer was lost, may make a difference of one.
"""

import hashlib
import json
from dataclasses import dataclass
from datetime import datetime

from gem_core.errors import RecordConflict
from gem_core.storage.documents import Documents
from gem_core.watch.record import JobRecord


@dataclass(frozen=True, slots=True)
class Begun:
    """The audits of one version of an output that have begun and not ended, at one moment."""

    count: int
    name: str
    """Of the document that has the count."""
    etag: str
    """Of that document."""


class Attempts:
    """The counts and times of all jobs."""

    def __init__(self, documents: Documents) -> None:
        self._documents = documents

    def begin(self, record: JobRecord, etag: str) -> Begun:
        """Count one more audit of the output with this ETag; the count includes it."""
        name = _name(record, "begun", etag)
        while True:
            try:
                return Begun(1, name, self._documents.create(name, _begun(1)))
            except RecordConflict:
                held = self._held(name)
            if held:
                try:
                    return self._write(held, held.count + 1)
                except RecordConflict:
                    pass

    def end(self, begun: Begun) -> None:
        """Take back one audit that has ended, well or not; those that never ended stay counted."""
        held: Begun | None = begun
        while held:
            try:
                if held.count > 1:
                    self._write(held, held.count - 1)
                else:
                    self._documents.delete(held.name, etag=held.etag)
            except RecordConflict:
                held = self._held(begun.name)
            else:
                return

    def _held(self, name: str) -> Begun | None:
        held = self._documents.get(name)
        return Begun(json.loads(held.body)["begun"], name, held.etag) if held else None

    def _write(self, held: Begun, count: int) -> Begun:
        etag = self._documents.replace(held.name, _begun(count), etag=held.etag)
        return Begun(count, held.name, etag)

    def waiting_since(self, record: JobRecord, now: datetime) -> datetime:
        """When trouble first kept this delivery's manifest back: now, unless it did before.

        It is one time for all versions of the output, which may be written again meanwhile.
        """
        name = _name(record, "waits")
        try:
            self._documents.create(name, json.dumps({"since": now.isoformat()}).encode())
        except RecordConflict:
            if held := self._documents.get(name):
                return datetime.fromisoformat(json.loads(held.body)["since"])
        return now


def _begun(count: int) -> bytes:
    return json.dumps({"begun": count}).encode()


def _name(record: JobRecord, kind: str, etag: str = "") -> str:
    request = record.redelivered_at.isoformat() if record.redelivered_at else ""
    parts = json.dumps([record.registered_at.isoformat(), request, etag])
    return f"{record.job_run_id}/{hashlib.sha256(parts.encode()).hexdigest()[:32]}.{kind}"
