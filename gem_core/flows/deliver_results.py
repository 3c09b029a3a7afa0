"""Delivers a settled job: audits its output, stores the manifest, sends it, marks it as delivered.

If the process dies between two of these steps, the record stays settled and on the worklist. The
sweep then raises the ticket again, and the outbox makes the repeat send the same manifest.
"""

from datetime import datetime

from gem_core.deliver.cloud_event import CloudEvent
from gem_core.deliver.manifest import outcome_of
from gem_core.errors import RecordConflict
from gem_core.flows.audit_output import Audited, Wait, audit_output
from gem_core.flows.deliverer import Deliverer
from gem_core.flows.keep_manifest import keep
from gem_core.logs import Event, log
from gem_core.outcome import Outcome
from gem_core.watch.record import JobRecord, Settlement, Stage
from gem_core.watch.registry import StoredRecord, ticket_job_run_id

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
        OutputUnreachable: the output storage refused access or did not answer. The record stays
            settled, so the ticket is raised again; this holds for StoreError too.
        StoreError: the app's own storage refused access or did not answer.

    """
    stored = deliverer.registry.get(job_run_id)
    if stored is None or stored.record.stage is not Stage.SETTLED:
        stage = stored.record.stage if stored else "unknown"
        log(Event.DELIVERY_SKIPPED, job_run_id=job_run_id, stage=stage)
        return None
    record = stored.record
    found = audit_output(deliverer, record)
    event = keep(deliverer, record, found) if isinstance(found, Audited) else found
    if isinstance(event, Wait):
        _postpone(deliverer, stored, event)
        return None
    outcome = outcome_of(event)
    deliverer.queue.send(event.body)
    log(
        Event.MANIFEST_SENT,
        job_run_id=job_run_id,
        manifest_id=event.id,
        outcome=outcome,
        tickets=record.tickets,
        seconds_since_settled=_seconds_since(record.settled_at, deliverer),
        seconds_since_finished=_seconds_since(_finished_at(record), deliverer),
    )
    _mark_delivered(deliverer, stored, outcome, event.id)
    return event


def _postpone(deliverer: Deliverer, stored: StoredRecord, wait: Wait) -> None:
    """Let the sweep raise the ticket again when the wait is over."""
    record = stored.record
    log(
        Event.DELIVERY_POSTPONED,
        job_run_id=record.job_run_id,
        due_at=wait.until,
        reason=wait.reason,
    )
    try:
        deliverer.registry.replace(stored, record.due(wait.until))
    except RecordConflict:  # another process changed the record; the sweep follows in any case
        log(Event.RECORD_CONFLICT, job_run_id=record.job_run_id)


def _mark_delivered(
    deliverer: Deliverer, started_with: StoredRecord, outcome: Outcome, manifest_id: str
) -> None:
    """Mark the job as delivered, even if another process has changed its record meanwhile.

    The job stays settled if a person has asked for a redelivery meanwhile, or has registered the
    job again: this delivery may have read the output before that.
    """
    stored: StoredRecord | None = started_with
    while (
        stored
        and stored.record.stage is Stage.SETTLED
        and stored.record.is_same_delivery(started_with.record)
    ):
        delivered = stored.record.delivered(outcome, manifest_id, deliverer.clock())
        try:
            deliverer.registry.replace(stored, delivered)
        except RecordConflict:
            stored = deliverer.registry.get(delivered.job_run_id)
        else:
            return


def _finished_at(record: JobRecord) -> datetime | None:
    """When GEM finished the job, by GEM's clock; None for a job that did not finish."""
    is_finished = record.settlement is Settlement.FINISHED
    return record.job.modified_at if record.job and is_finished else None


def _seconds_since(then: datetime | None, deliverer: Deliverer) -> float | None:
    return round((deliverer.clock() - then).total_seconds(), 3) if then else None
