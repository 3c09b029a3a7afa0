"""Delivers a settled job: audits its output, stores the manifest, sends it, marks it as delivered.

If the process dies between two of these steps, the record stays settled and on the worklist. The
sweep then raises the ticket again, and the outbox makes the repeat send the same manifest.

The host tries a failed ticket five times within a few seconds. So a delivery that fails for a
reason that may pass is not raised: the record says when it is tried again, and why.
"""

from collections.abc import Iterable
from datetime import datetime

from gem_core.deliver.cloud_event import CloudEvent
from gem_core.deliver.delivered_list import line_of, month_of
from gem_core.deliver.manifest import outcome_of, owed_to
from gem_core.errors import (
    AuditError,
    AuditUnfinished,
    DocumentArchived,
    OutputUnreachable,
    RecordUnreadable,
    StoreError,
)
from gem_core.flows.audit_output import Audited, audit_output
from gem_core.flows.deliverer import Deliverer
from gem_core.flows.delivery import Delivery, Sent, Wait, is_early, problem_of
from gem_core.flows.keep_manifest import keep
from gem_core.logs import Event, log
from gem_core.outcome import Outcome
from gem_core.watch.record import JobRecord, Settlement, Stage
from gem_core.watch.registry import ticket_job_run_id

SECONDS_BEFORE_RAISING = 30.0
"""The wait before an error is raised that could not be stored. The host's five tries then last
longer than two minutes; without it they would fail within a second or two."""
_SHOWN = 200
"""Characters of a foreign blob's name that are logged."""


def deliver_ticket(deliverer: Deliverer, path: str) -> CloudEvent | None:
    """Deliver the job of a ticket, of which `path` is container and name; see `deliver_results`.

    The host does not compare an event with the path of the trigger, so an event may be about any
    blob. Only a ticket starts a delivery.
    """
    job_run_id = ticket_job_run_id(path)
    if job_run_id is None:
        log(Event.BLOB_IGNORED, blob=path[:_SHOWN])
        return None
    return deliver_results(deliverer, job_run_id)


def deliver_results(deliverer: Deliverer, job_run_id: str) -> CloudEvent | None:
    """Deliver one settled job; None when there is nothing to deliver, or nothing yet.

    Raises:
        RecordUnreadable: a newer version wrote the record, the answer of GEM or the manifest.
        StoreError: the app's own storage failed, so that not even the record could be changed.

    """
    try:
        return _deliver(deliverer, job_run_id)
    except RecordUnreadable:
        raise
    except StoreError:
        deliverer.sleep(SECONDS_BEFORE_RAISING)
        raise


def _deliver(deliverer: Deliverer, job_run_id: str) -> CloudEvent | None:
    stored = deliverer.registry.get(job_run_id)
    if stored is None or stored.record.stage is not Stage.SETTLED:
        stage = stored.record.stage if stored else "unknown"
        log(Event.DELIVERY_SKIPPED, job_run_id=job_run_id, stage=stage)
        return None
    if is_early(stored.record, deliverer.clock()):
        _log_skipped(stored.record, "its next try is not due yet")
        return None
    delivery = Delivery(deliverer, stored)
    if problem := problem_of(stored.record):
        delivery.watch_again(problem)
        return None
    try:
        result = _send(delivery)
    except (OutputUnreachable, AuditError, StoreError) as error:
        if isinstance(error, RecordUnreadable) and not isinstance(error, DocumentArchived):
            raise
        result = Wait(str(error), is_counted=isinstance(error, AuditUnfinished))
    if isinstance(result, Wait):
        delivery.postpone(result)
        return None
    return result


def _send(delivery: Delivery) -> CloudEvent | Wait | None:
    """Send the manifest to its routes, and mark those that have it."""
    deliverer, pending = delivery.deliverer, delivery.record.attempts.pending
    event: CloudEvent | Wait | None = _decided(delivery)
    if isinstance(event, CloudEvent):
        known = {route.name for route in deliverer.routes if route.takes_manifests}
        routes = tuple(name for name in pending if name in known)
    else:
        event = _audit_and_keep(delivery)
        if not isinstance(event, CloudEvent):
            return event
        routes = owed_to(event, deliverer.routes)
    outcome = outcome_of(event)
    sent = _send_to(deliverer, event, routes)
    if sent.to:
        _tell(delivery, event, outcome, sent)
    elif sent.failed and not pending:
        return sent.wait  # nobody has seen this manifest: the output may still change
    delivery.mark_sent(outcome, event.id, sent)
    return None if sent.failed else event


def _audit_and_keep(delivery: Delivery) -> CloudEvent | Wait | None:
    found = audit_output(delivery)
    if found is None:
        reason = "the job was delivered, deleted or requested again meanwhile"
        _log_skipped(delivery.record, reason)
    return keep(delivery, found) if isinstance(found, Audited) else found


def _decided(delivery: Delivery) -> CloudEvent | None:
    """The manifest that must still be sent to some routes; None when it is not decided yet.

    Other routes have it already, so it is sent whatever has become of the output.
    """
    record = delivery.record
    if not record.attempts.pending or not record.manifest_id:
        return None
    return delivery.deliverer.outbox.get(record.job_run_id, record.manifest_id)


def _send_to(deliverer: Deliverer, event: CloudEvent, routes: Iterable[str]) -> Sent:
    """Send an event to each of these routes. A queue that fails holds no other one up."""
    to: dict[str, datetime] = {}
    failed: dict[str, str] = {}
    for name in routes:
        try:
            deliverer.queues[name].send(event.body)
        except StoreError as error:
            failed[name] = str(error)
        else:
            to[name] = deliverer.clock()
    return Sent(to, failed)


def _tell(delivery: Delivery, event: CloudEvent, outcome: Outcome, sent: Sent) -> None:
    """Log that the manifest was sent, and list it for the board."""
    record, deliverer = delivery.record, delivery.deliverer
    log(
        Event.MANIFEST_SENT,
        job_run_id=record.job_run_id,
        manifest_id=event.id,
        outcome=outcome,
        routes=list(sent.to),
        tickets=record.tickets,
        seconds_since_settled=_seconds_since(record.settled_at, deliverer),
        seconds_since_finished=_seconds_since(_finished_at(record), deliverer),
    )
    _list(deliverer, record.job_run_id, event)


def _list(deliverer: Deliverer, job_run_id: str, event: CloudEvent) -> None:
    """Add the manifest to the list that the board shows, before the record is marked as delivered.

    A process that dies in between sends and lists the same manifest again, which readers expect.
    In the other order, it would never be listed. An error is logged only: the list is for people.
    """
    now = deliverer.clock()
    try:
        deliverer.outbox.add_delivered(month_of(now), line_of(event, now))
    except StoreError as error:
        log(Event.DELIVERY_NOT_LISTED, job_run_id=job_run_id, reason=str(error))
    except Exception as error:  # noqa: BLE001 - the manifest was sent: it must now be marked
        # A newer version may have stored the manifest in another form. The text may have values.
        log(Event.DELIVERY_NOT_LISTED, job_run_id=job_run_id, reason=type(error).__name__)


def _log_skipped(record: JobRecord, reason: str) -> None:
    # The stage stays "settled": the alert about waiting manifests must go on waiting for this one.
    log(Event.DELIVERY_SKIPPED, job_run_id=record.job_run_id, stage=record.stage, reason=reason)


def _finished_at(record: JobRecord) -> datetime | None:
    """When GEM finished the job, by GEM's clock; None for a job that did not finish."""
    is_finished = record.settlement is Settlement.FINISHED
    return record.job.modified_at if record.job and is_finished else None


def _seconds_since(then: datetime | None, deliverer: Deliverer) -> float | None:
    return round((deliverer.clock() - then).total_seconds(), 3) if then else None
