"""Stores what a delivery produces: failing rows, the report, its page, and at last the manifest."""

from collections.abc import Mapping
from datetime import timedelta
from typing import Any

from gem_core.audit.child.result import AuditResult
from gem_core.audit.reading.source import Source
from gem_core.deliver.audit_parts import audit_parts
from gem_core.deliver.cloud_event import CloudEvent
from gem_core.deliver.manifest import Links, manifest, whole_event
from gem_core.deliver.outbox import Outbox
from gem_core.deliver.version import Version
from gem_core.errors import OutputChanged, OutputUnreachable, StoreError
from gem_core.flows.audit_output import Audited
from gem_core.flows.delivery import Delivery, Wait
from gem_core.logs import Event, log
from gem_core.moments import read_moment
from gem_core.settings.rules import JOB_RUN_ID, MANIFEST_ID

REPLACED = "replaced"
"""What a delivery waits for while the output is replaced each time."""
PAGE_WAIT = timedelta(minutes=1)
"""How long after a report its page may still come: longer than the SDK's repeats of a write."""


def keep(delivery: Delivery, audited: Audited) -> CloudEvent | Wait:
    """Store the manifest, after its report, and this one after its failing rows.

    Returns:
        The manifest to send: the one that was stored first under this id. `Wait` if the output was
        replaced since its audit, for example while its page was drawn.

    """
    deliverer, record = delivery.deliverer, delivery.record
    outbox, job_run_id, now = deliverer.outbox, record.job_run_id, deliverer.clock()
    id_ = audited.version.event_id(record)
    report = whole_event(
        record,
        audit_parts(
            audited.result.report if audited.result else None,
            audited.output,
            record,
            now,
            audited.search.to_json() if audited.search else None,
        ),
        id_=id_,
        outcome=audited.outcome,
        job_url=deliverer.job_url(job_run_id),
        links=Links(
            outbox.report_url(job_run_id, id_),
            _page_url(delivery, id_, audited.result),
            _keep_failures(outbox, job_run_id, id_, audited.result),
        ),
        now=now,
    )
    first = outbox.keep_report(job_run_id, report)
    if first is None:
        _keep_page(outbox, job_run_id, id_, audited.result)
    elif wait := _wait_for_page(delivery, audited.result, first):
        return wait
    # With an earlier report, its delivery died, or its manifest is not stored yet. The page of this
    # audit must not stand beside the report of that one, so it is not stored. The manifest has the
    # content of that report.
    event = outbox.keep(job_run_id, manifest(first or report, deliverer.routes))
    is_changing = audited.version == Version.changed(record.redelivered_at)
    if audited.output and not is_changing and _is_replaced(audited.output):
        return delivery.wait_for(REPLACED, "the output was replaced after its audit") or event
    return event


def _wait_for_page(
    delivery: Delivery, result: AuditResult | None, report: Mapping[str, Any]
) -> Wait | None:
    """Wait if another delivery has just stored this report, and may be storing its page now.

    The manifest must not be sent before its page is there. If that delivery died, none will be.
    """
    deliverer, now = delivery.deliverer, delivery.deliverer.clock()
    stored_at = read_moment(report["time"])
    if result is None or not result.page or abs(now - stored_at) >= PAGE_WAIT:
        return None
    if deliverer.outbox.page(delivery.record.job_run_id, report["id"]):
        return None
    return Wait("another delivery stores the page of the report", stored_at + PAGE_WAIT)


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


def _page_url(delivery: Delivery, id_: str, result: AuditResult | None) -> str | None:
    """Where readers of the manifest can open its page. Both ids need no escapes in a path."""
    if result is None or not result.page:
        return None
    address = delivery.deliverer.page_url.replace(JOB_RUN_ID, delivery.record.job_run_id)
    return address.replace(MANIFEST_ID, id_) or None


def _keep_failures(
    outbox: Outbox, job_run_id: str, id_: str, result: AuditResult | None
) -> str | None:
    """Store the failing rows, and return their address; None without any.

    An error is logged only: the rows are optional. When the whole storage does not answer, the
    report cannot be stored either, and the delivery is tried again with its rows.
    """
    if result is None:
        return None
    problem = result.failures_problem
    try:
        if result.failures and result.failing_rows:
            return outbox.keep_failures(job_run_id, id_, result.failures)
    except StoreError as error:
        problem = str(error)
    if problem:
        log(Event.FAILURES_NOT_KEPT, job_run_id=job_run_id, reason=problem)
    return None


def _keep_page(outbox: Outbox, job_run_id: str, id_: str, result: AuditResult | None) -> None:
    """Store the page of a report. An error is logged only: the page is optional."""
    if result is None:
        return
    problem = result.page_problem
    try:
        if result.page:
            outbox.keep_page(job_run_id, id_, result.page)
    except StoreError as error:
        problem = str(error)
    if problem:
        log(Event.REPORT_PAGE_FAILED, job_run_id=job_run_id, reason=problem)
