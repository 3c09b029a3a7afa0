"""Stores what a delivery produces: first the report, then its page, then the manifest."""

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
    """Store the manifest, after its report.

    Returns:
        The manifest to send: the one that was stored first under this id. `Wait` if the output was
        replaced since its audit, for example while the page was made.

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
    first = outbox.keep_report(job_run_id, report)
    if first is None:
        _keep_page(deliverer, job_run_id, id_, audited, now)
    # Otherwise an earlier delivery died after it stored its report, perhaps because making the page
    # needs too much memory; or it is still making the page. So this delivery makes no page, and its
    # manifest has the content of that report.
    event = outbox.keep(job_run_id, manifest(first or report))
    is_changing = audited.version == Version.changed(record.redelivered_at)
    if audited.output and not is_changing and _is_replaced(audited.output):
        return wait_for(deliverer, record, "the output was replaced after its audit") or event
    return event


def _is_replaced(output: Source) -> bool:
    """Whether the output has another version now; False when its storage does not answer."""
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
    """Make the page of a report and store it. An error is logged only: the page is optional."""
    if not (deliverer.make_page and audited.report):
        return
    try:
        page = deliverer.make_page(audited.report, audited.output, now)
        deliverer.outbox.keep_page(job_run_id, id_, page)
    except Exception as error:  # noqa: BLE001 - no error may delay the manifest
        log(
            Event.REPORT_PAGE_FAILED,
            traceback=True,
            job_run_id=job_run_id,
            reason=type(error).__name__,
        )
