"""The story of a ticket: find out what the manifest of a settled job is to say, store it, send it,
and only then mark the job as delivered. Edges come in as arguments.

Whatever happens between two lines here, the record stays settled and on the worklist, so the sweep
raises the ticket again; and the outbox makes the repeat send the same manifest.
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
from gem_core.watch.registry import StoredRecord


def deliver_results(deliverer: Deliverer, job_run_id: str) -> CloudEvent | None:
    """Deliver one settled job; None when there is nothing to deliver (yet).

    Raises:
        OutputUnreachable: the output storage refused or did not answer; the ticket comes again.
        StoreError: our own storage did; the ticket comes again.

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
    """Nothing can be sent yet: let the sweep raise the ticket again."""
    record = stored.record
    log(
        Event.DELIVERY_POSTPONED,
        job_run_id=record.job_run_id,
        due_at=wait.until,
        reason=wait.reason,
    )
    try:
        deliverer.registry.replace(stored, record.due(wait.until))
    except RecordConflict:  # somebody else is at it; the sweep comes anyway
        log(Event.RECORD_CONFLICT, job_run_id=record.job_run_id)


def _mark_delivered(
    deliverer: Deliverer, served: StoredRecord, outcome: Outcome, manifest_id: str
) -> None:
    """Mark the job as delivered, whatever else has changed in its record meanwhile.

    It stays settled when somebody asked for the manifest again meanwhile, or registered the job
    again: this delivery may have read the output before that.
    """
    stored: StoredRecord | None = served
    while (
        stored
        and stored.record.stage is Stage.SETTLED
        and stored.record.is_same_delivery(served.record)
    ):
        delivered = stored.record.delivered(outcome, manifest_id, deliverer.clock())
        try:
            deliverer.registry.replace(stored, delivered)
        except RecordConflict:
            stored = deliverer.registry.get(delivered.job_run_id)
        else:
            return


def _finished_at(record: JobRecord) -> datetime | None:
    """When GEM says that it finished the job; by GEM's clock."""
    is_finished = record.settlement is Settlement.FINISHED
    return record.job.modified_at if record.job and is_finished else None


def _seconds_since(then: datetime | None, deliverer: Deliverer) -> float | None:
    return round((deliverer.clock() - then).total_seconds(), 3) if then else None
