"""The part of a delivery that stores: report, page, manifest. Edges come in as arguments."""

from datetime import datetime

from gem_core.audit.judging.report import RULESET, Report
from gem_core.audit.reading.source import Source
from gem_core.deliver.audit_parts import audit_parts
from gem_core.deliver.manifest import Manifest, manifest, manifest_id, whole_event
from gem_core.flows.deliverer import Deliverer
from gem_core.logs import Event, log
from gem_core.outcome import Outcome
from gem_core.watch.record import JobRecord


def keep(
    deliverer: Deliverer,
    record: JobRecord,
    outcome: Outcome,
    version: str,
    report: Report | None = None,
    output: Source | None = None,
) -> Manifest:
    """The manifest, stored: the one that stands under its id already, or a new one."""
    id_ = id_of(record, version)
    if held := deliverer.outbox.get(record.job_run_id, id_):
        return held
    now = deliverer.clock()
    event = whole_event(
        record,
        audit_parts(report, output, record, now),
        id_=id_,
        outcome=outcome,
        job_url=deliverer.job_url(record.job_run_id),
        report_url=deliverer.outbox.report_url(record.job_run_id, id_),
        now=now,
    )
    is_new = deliverer.outbox.keep_report(record.job_run_id, event)
    # A report without a manifest is what a delivery leaves that died. Perhaps drawing the page took
    # too much memory: the next delivery does not draw it again.
    if report and is_new:
        _keep_page(deliverer, record, id_, report, output, now)
    return deliverer.outbox.keep(record.job_run_id, manifest(event))


def _keep_page(
    deliverer: Deliverer,
    record: JobRecord,
    id_: str,
    report: Report,
    output: Source | None,
    now: datetime,
) -> None:
    """Store the report as a page too, beside the report. It never holds up a manifest."""
    if not deliverer.make_page:
        return
    try:
        page = deliverer.make_page(report, output, now)
        deliverer.outbox.keep_page(record.job_run_id, id_, page)
    except Exception as error:  # noqa: BLE001 - whatever it is, the verdict stands without it
        log(
            Event.REPORT_PAGE_FAILED,
            traceback=True,
            job_run_id=record.job_run_id,
            reason=type(error).__name__,
        )


def id_of(record: JobRecord, version: str) -> str:
    """The id of the manifest that speaks of this version."""
    return manifest_id(record.job_run_id, record.registered_at, version=version, ruleset=RULESET)


def settled_at(record: JobRecord) -> datetime:
    """When the job ended for us."""
    return record.settled_at or record.registered_at
