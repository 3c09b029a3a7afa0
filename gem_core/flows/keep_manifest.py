"""The part of a delivery that stores: report, page, manifest. Edges come in as arguments."""

from datetime import datetime

from gem_core.audit.reading.source import Source
from gem_core.deliver.audit_parts import audit_parts
from gem_core.deliver.cloud_event import CloudEvent
from gem_core.deliver.manifest import manifest, whole_event
from gem_core.deliver.version import Version
from gem_core.errors import OutputChanged, OutputUnreachable
from gem_core.flows.audit_output import Audited, Wait, wait_for
from gem_core.flows.deliverer import Deliverer
from gem_core.logs import Event, log
from gem_core.watch.record import JobRecord


def keep(deliverer: Deliverer, record: JobRecord, audited: Audited) -> CloudEvent | Wait:
    """Store the manifest, after its report; gives the one that stands under its id.

    It is not to be sent yet when the output was replaced meanwhile: drawing the page takes a while.
    """
    outbox, job_run_id, now = deliverer.outbox, record.job_run_id, deliverer.clock()
    id_ = audited.version.event_id(record)
    report = whole_event(
        record,
        audit_parts(audited.report, audited.output, record, now),
        id_=id_,
        outcome=audited.outcome,
        job_url=deliverer.job_url(job_run_id),
        report_url=outbox.report_url(job_run_id, id_),
        now=now,
    )
    if outbox.keep_report(job_run_id, report):
        _keep_page(deliverer, job_run_id, id_, audited, now)
    elif not outbox.get(job_run_id, id_):
        # An earlier delivery ended after its report, perhaps since drawing the page took too much
        # memory: this one goes without a page.
        outbox.replace_report(job_run_id, report)
    event = outbox.keep(job_run_id, manifest(report))
    if audited.version != Version.changed() and audited.output and _is_replaced(audited.output):
        return wait_for(deliverer, record, "the output was replaced after its audit") or event
    return event


def _is_replaced(output: Source) -> bool:
    """Whether another version is there by now. Without an answer the report stays true."""
    try:
        if output.size_bytes:
            output.read(0, 1)
    except OutputChanged:
        return True
    except OutputUnreachable:
        return False
    return False


def _keep_page(
    deliverer: Deliverer, job_run_id: str, id_: str, audited: Audited, now: datetime
) -> None:
    """Draw the page of a report and store it. An error is logged: the verdict stands without it."""
    if not (deliverer.make_page and audited.report):
        return
    try:
        page = deliverer.make_page(audited.report, audited.output, now)
        deliverer.outbox.keep_page(job_run_id, id_, page)
    except Exception as error:  # noqa: BLE001 - no error may hold up the manifest
        log(
            Event.REPORT_PAGE_FAILED,
            traceback=True,
            job_run_id=job_run_id,
            reason=type(error).__name__,
        )
