"""The part of a delivery that stores: report, page, manifest. Edges come in as arguments."""

from datetime import datetime

from gem_core.audit.judging.report import RULESET, Report
from gem_core.audit.reading.source import Source
from gem_core.deliver.findings import findings
from gem_core.deliver.manifest import Manifest, manifest, manifest_id, whole_event, with_page
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
        findings(report, output, record, now),
        id_=id_,
        outcome=outcome,
        ruleset=RULESET,
        job_url=deliverer.job_url(record.job_run_id),
        report_url=deliverer.outbox.report_url(record.job_run_id, id_),
        now=now,
    )
    is_new = deliverer.outbox.keep_report(record.job_run_id, event)
    # A report without a manifest is what a delivery leaves that died. Was it while it drew the
    # page, for want of memory perhaps, the next one goes without; a page that is there is linked.
    if report and is_new:
        page_url = _page(deliverer, record, id_, report, output, now)
    else:
        page_url = deliverer.outbox.page_url(record.job_run_id, id_) if report else None
    if page_url:
        event = with_page(event, page_url)
        deliverer.outbox.keep_report(record.job_run_id, event)
    return deliverer.outbox.keep(record.job_run_id, manifest(event))


def _page(
    deliverer: Deliverer,
    record: JobRecord,
    id_: str,
    report: Report,
    output: Source | None,
    now: datetime,
) -> str | None:
    """Where the report lies as a page; None without one. It never holds up a manifest."""
    if not deliverer.make_page:
        return None
    try:
        page = deliverer.make_page(report, output, now)
        return deliverer.outbox.keep_page(record.job_run_id, id_, page)
    except Exception as error:  # noqa: BLE001 - whatever it is, the verdict stands without it
        log(
            Event.REPORT_PAGE_FAILED,
            traceback=True,
            job_run_id=record.job_run_id,
            reason=type(error).__name__,
        )
        return None


def id_of(record: JobRecord, version: str) -> str:
    """The id of the manifest that speaks of this version."""
    return manifest_id(record.job_run_id, record.registered_at, version=version, ruleset=RULESET)


def settled_at(record: JobRecord) -> datetime:
    """When the job ended for us."""
    return record.settled_at or record.registered_at
