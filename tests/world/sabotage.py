"""Ways to break the app on purpose, each of which the campaign must find."""

from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from itertools import count
from typing import Any
from unittest.mock import patch

from gem_core.deliver import version
from gem_core.deliver.cloud_event import CloudEvent
from gem_core.deliver.manifest import manifest_id, outcome_of
from gem_core.deliver.outbox import Outbox
from gem_core.flows import audit_output, check_one, deliver_results, keep_manifest
from gem_core.flows.audit_output import Audited
from gem_core.flows.delivery import Delivery, Sent, Wait
from gem_core.flows.sweep import Sweeper, repeat_ticket
from gem_core.outcome import Outcome
from gem_core.storage.clock import StorageClock
from gem_core.storage.documents import Listed
from gem_core.storage.names import JOBS
from gem_core.watch import registry
from gem_core.watch.marker import MARKER_PREFIX, JobState, OpenJob
from gem_core.watch.record import JobRecord, Stage
from gem_core.watch.record_json import record_to_bytes
from gem_core.watch.registry import SUFFIX, JobRegistry, StoredRecord
from gem_core.watch.retention import Place, Retention
from gem_core.watch.tombstones import Tombstones
from tests.fakes import START, FakeSource, MemoryDocuments


@dataclass(frozen=True, slots=True)
class Sabotage:
    """One protection, switched off."""

    name: str
    what: str
    off: Callable[[], AbstractContextManager[Any]]
    case: str = ""
    """The case of the exhaustive part that finds it, where few seeds do."""


@contextmanager
def _no_outbox() -> Iterator[None]:
    with (
        patch.object(Outbox, "get", lambda *_: None),
        patch.object(Outbox, "keep", lambda _, __, event: event),
    ):
        yield


def _no_sweep() -> AbstractContextManager[Any]:
    return patch.object(check_one, "repeat_ticket", lambda *_: None)


def _no_next_try() -> AbstractContextManager[Any]:
    raise_ticket = repeat_ticket

    def repeat(sweeper: Sweeper, stored: StoredRecord) -> None:
        if stored.record.attempts.postponement is None:
            raise_ticket(sweeper, stored)

    return patch.object(check_one, "repeat_ticket", repeat)


def _no_record_etag() -> AbstractContextManager[Any]:
    def replace(
        self: MemoryDocuments,
        name: str,
        body: bytes,
        *,
        etag: str,  # noqa: ARG001 - that is the point
        metadata: Mapping[str, str] | None = None,
    ) -> str:
        return self.put(name, body, metadata=metadata)

    return patch.object(MemoryDocuments, "replace", replace)


def _no_read_pin() -> AbstractContextManager[Any]:
    def read(self: FakeSource, offset: int, length: int) -> bytes:
        _, body = self.files.held[self.name]
        return body[offset : offset + length]

    return patch.object(FakeSource, "read", read)


def _mark_first() -> AbstractContextManager[Any]:
    keep = keep_manifest.keep  # the step before the send

    def kept(delivery: Delivery, audited: Audited) -> CloudEvent | Wait:
        event = keep(delivery, audited)
        if isinstance(event, CloudEvent):
            sent = Sent(dict.fromkeys(event.routes, START), {})
            delivery.mark_sent(outcome_of(event), event.id, sent)
        return event

    return patch.object(deliver_results, "keep", kept)


def _marker_last() -> AbstractContextManager[Any]:
    def add(self: JobRegistry, record: JobRecord) -> StoredRecord | None:
        etag = self._jobs.create(record.job_run_id + SUFFIX, record_to_bytes(record))
        self.mark_open(record)
        return StoredRecord(record, etag)

    return patch.object(JobRegistry, "add", add)


def _unmark_any() -> AbstractContextManager[Any]:
    def unmark(self: JobRegistry, job_run_id: str, *, etag: str) -> bool:  # noqa: ARG001 - as above
        self._worklist.delete(MARKER_PREFIX + job_run_id)
        return True

    return patch.object(JobRegistry, "unmark", unmark)


def _any_id() -> AbstractContextManager[Any]:
    numbers = count()
    return patch.object(version, "manifest_id", lambda *_, **__: f"{next(numbers):032}")


def _id_of_any_life() -> AbstractContextManager[Any]:
    def made(job_run_id: str, _: datetime, **rest: str) -> str:
        return manifest_id(job_run_id, START, **rest)

    return patch.object(version, "manifest_id", made)


def _send_and_hope() -> AbstractContextManager[Any]:
    """The order of an output binding: the record says delivered, the message follows or not."""

    def mark(self: Delivery, outcome: Outcome, id_: str, _: Sent) -> None:
        delivered = self.record.delivered(outcome, id_, self.deliverer.clock())
        jobs = self.deliverer.registry._jobs
        jobs.put(delivered.job_run_id + SUFFIX, record_to_bytes(delivered))

    return patch.object(Delivery, "mark_sent", mark)


def _young_markers_go() -> AbstractContextManager[Any]:
    return patch.object(registry, "ORPHAN_AGE", timedelta(0))


def _machines_clock() -> AbstractContextManager[Any]:
    return patch.object(
        StorageClock, "__call__", lambda self: datetime.fromtimestamp(self._machine(), UTC)
    )


def _any_delivery_reports() -> AbstractContextManager[Any]:
    return patch.object(JobRecord, "is_same_delivery", lambda *_: True)


def _claim_for_all() -> AbstractContextManager[Any]:
    def claim(
        self: JobRegistry, job: OpenJob, until: datetime, state: JobState | None = None
    ) -> OpenJob:
        claimed = replace(job, due_at=until).in_state(state)
        name, metadata = MARKER_PREFIX + job.job_run_id, claimed.metadata()
        return replace(claimed, etag=self._worklist.put(name, b"", metadata=metadata))

    return patch.object(JobRegistry, "claim", claim)


def _no_tombstones() -> AbstractContextManager[Any]:
    return patch.object(Tombstones, "has", lambda *_: False)


def _young_jobs_go() -> AbstractContextManager[Any]:
    def is_old(_: Retention, place: Place, item: Listed) -> bool:
        return place.list_ != JOBS or item.metadata.get("stage") == Stage.DELIVERED

    return patch.object(Retention, "is_old", is_old)


def _route_lost() -> AbstractContextManager[Any]:
    return patch.object(Delivery, "mark_sent", _mark_whatever_failed(Delivery.mark_sent))


def _mark_whatever_failed(real: Callable[..., None]) -> Callable[..., None]:
    def mark(self: Delivery, outcome: Outcome, id_: str, sent: Sent) -> None:
        real(self, outcome, id_, replace(sent, failed={}))

    return mark


def _wait_for_overture() -> AbstractContextManager[Any]:
    audit = audit_output._audit

    def waiting(*args: Any) -> Audited | Wait | None:  # noqa: ANN401 - as the real one
        found = audit(*args)
        reason = found.result.not_looked_up if isinstance(found, Audited) and found.result else ""
        return Wait(reason) if reason else found

    return patch.object(audit_output, "_audit", waiting)


SABOTAGES = {
    each.name: each
    for each in (
        Sabotage("outbox", "manifests are sent without being stored", _no_outbox),
        Sabotage("sweep", "no ticket is ever raised again", _no_sweep),
        Sabotage("next-try", "a postponed delivery is not tried again", _no_next_try),
        Sabotage("record-etag", "records are written over, whoever was first", _no_record_etag),
        Sabotage("read-pin", "outputs are read without If-Match", _no_read_pin),
        Sabotage(
            "mark-first", "a job is marked as delivered before its manifest is sent", _mark_first
        ),
        Sabotage("marker-last", "the worklist is written after the record", _marker_last),
        Sabotage(
            "unmark-any",
            "a marker is removed, whoever wrote it",
            _unmark_any,
            case="1 job, valid, then forget and register while a slow call ends",
        ),
        Sabotage("any-id", "each manifest has an id of its own", _any_id),
        Sabotage("young-markers", "a marker goes, however young it is", _young_markers_go),
        Sabotage("machine-clock", "the app believes its machine's clock", _machines_clock),
        Sabotage(
            "old-delivery",
            "an old delivery reports a new request",
            _any_delivery_reports,
            case="1 job, valid, then overwrite and redeliver while a slow call ends",
        ),
        Sabotage("claim", "a job is claimed by whoever likes", _claim_for_all),
        Sabotage("former-life", "a manifest of a former registration will do", _id_of_any_life),
        Sabotage("tombstones", "a removed job is discovered again", _no_tombstones),
        Sabotage("young-jobs", "jobs are deleted however young they are", _young_jobs_go),
        Sabotage("route-lost", "a job is delivered although a route has failed", _route_lost),
        Sabotage("overture-waits", "a delivery waits for Overture", _wait_for_overture),
        Sabotage("blind-mark", "a job is marked without looking at its record", _send_and_hope),
    )
}
