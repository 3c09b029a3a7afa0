"""The story of a ticket: audit the output of a settled job, store the manifest, send it, and only
then mark the job as reported. Edges come in as arguments.

Whatever happens between two lines here, the record stays settled and on the worklist, so the sweep
raises the ticket again; and the outbox makes the repeat send the same manifest.
"""

from contextlib import suppress
from datetime import datetime, timedelta

from gem_core.audit.audit import changed_report, given_up_report, refused_report
from gem_core.audit.report import RULESET, Report
from gem_core.audit.source import Source
from gem_core.deliver.findings import findings
from gem_core.deliver.manifest import Manifest, manifest, manifest_id, whole_event, with_page
from gem_core.errors import (
    OutputChanged,
    OutputError,
    OutputMissing,
    OutputRefused,
    OutputUnreachable,
    RecordConflict,
    StoreError,
)
from gem_core.flows.deliverer import Deliverer
from gem_core.gem.job import GemJob
from gem_core.logs import Event, log
from gem_core.outcome import Outcome
from gem_core.watch.record import JobRecord, Settlement, Stage
from gem_core.watch.registry import StoredRecord

MAX_AUDITS = 3
"""Of one ticket: an output that changes each time it is read is reported as such."""
MAX_BEGUN = 10
"""Audits of one output that began and never ended: the host's five tries of two tickets."""
LOOK_AGAIN = timedelta(minutes=2)
"""How long to wait for an output that is not there yet."""


def deliver_results(deliverer: Deliverer, job_run_id: str) -> Manifest | None:
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
    ready = _manifest(deliverer, stored.record)
    if ready is None:
        _postpone(deliverer, stored)
        return None
    deliverer.queue.send(ready.body)
    log(
        Event.MANIFEST_SENT,
        job_run_id=job_run_id,
        manifest_id=ready.id,
        outcome=ready.outcome,
        tickets=stored.record.tickets,
        seconds_since_settled=_seconds_since(_settled_at(stored.record), deliverer),
        seconds_since_finished=_seconds_since(_finished_at(stored.record), deliverer),
    )
    _mark_reported(deliverer, stored, ready)
    return ready


def _manifest(deliverer: Deliverer, record: JobRecord) -> Manifest | None:
    if record.settlement is Settlement.FINISHED and record.job:
        return _audited(deliverer, record, record.job)
    outcome = Outcome(str(record.settlement))
    return _kept(deliverer, record, outcome, outcome)


def _audited(deliverer: Deliverer, record: JobRecord, job: GemJob) -> Manifest | None:
    """The manifest of the output as it is now; None while it may still appear."""
    for _ in range(MAX_AUDITS):
        try:
            output = deliverer.files.open(job.storage_id, output_name(job))
            if held := deliverer.outbox.get(record.job_run_id, _id(record, output.etag)):
                return held
            report, version = _report(deliverer, record, job, output)
            kept = _kept(deliverer, record, report.outcome, version, report, output)
            _look_once_more(output)
        except OutputMissing:
            if deliverer.clock() - _settled_at(record) < deliverer.output_grace:
                return None
            return _kept(deliverer, record, Outcome.OUTPUT_MISSING, Outcome.OUTPUT_MISSING)
        except OutputRefused as error:
            report = refused_report(job, str(error))
            return _kept(deliverer, record, Outcome.INVALID, "refused", report)
        except OutputChanged:
            log(Event.OUTPUT_CHANGED, job_run_id=record.job_run_id)
        else:
            return kept
    # Not under the last ETag: a file that holds still later is to be audited as what it is then.
    return _kept(deliverer, record, Outcome.INVALID, "changed", changed_report(output, job))


def _look_once_more(output: Source) -> None:
    """See that the manifest to be sent is about the output that is there: drawing took a while.

    Raises:
        OutputChanged: it is another one by now, or gone.

    """
    with suppress(OutputUnreachable):  # what the manifest says stays true of what was audited
        if output.size_bytes:
            output.read(0, 1)


def _report(
    deliverer: Deliverer, record: JobRecord, job: GemJob, output: Source
) -> tuple[Report, str]:
    """The report of an output, and the version that its manifest speaks of."""
    this = record.job_run_id, _id(record, output.etag)
    begun = deliverer.outbox.begin(*this)
    if begun > MAX_BEGUN:
        # Each audit ended the process: say so, rather than try for ever. A redelivery tries anew.
        deliverer.outbox.end(*this)
        return given_up_report(output, job, begun=begun - 1), f"given-up {output.etag}"
    given, note = _input(deliverer, job)
    try:
        report = deliverer.audit(
            output,
            job,
            input_source=given,
            input_note=note,
            expected_input=record.expected_input_file_name,
        )
    except (OutputError, StoreError):
        # Of storage, not of the file. All else would come again each time: its count stands.
        deliverer.outbox.end(*this)
        raise
    deliverer.outbox.end(*this)
    log(
        Event.OUTPUT_AUDITED,
        job_run_id=job.job_run_id,
        outcome=report.outcome,
        rows=report.rows,
        share_matched=report.share_matched,
        bytes=output.size_bytes,
        bytes_read=report.bytes_read,
        requests=report.requests,
    )
    return report, output.etag


def _input(deliverer: Deliverer, job: GemJob) -> tuple[Source | None, str]:
    """The input file, or why there is none. It never fails an output that it cannot be read."""
    if not deliverer.input_audit:
        return None, "turned off by GEM_INPUT_AUDIT"
    if not job.input_file_name:
        return None, "GEM names no input file"
    try:
        return deliverer.files.open(job.storage_id, job.input_file_name), ""
    except OutputError as error:
        return None, f"the input file cannot be read: {error}"


def output_name(job: GemJob) -> str:
    """The file to audit: the one that GEM names, else by the documented pattern.

    Source: "Get job details", output file: `{original_filename}_matched.parquet`, where the example
    shows that the original's own suffix is dropped.

    Raises:
        OutputMissing: GEM names neither output nor input.

    """
    if job.output_file_name:
        return job.output_file_name
    if not job.input_file_name:
        raise OutputMissing("GEM names neither an output nor an input file")
    return f"{job.input_file_name.removesuffix('.parquet')}_matched.parquet"


def _kept(
    deliverer: Deliverer,
    record: JobRecord,
    outcome: Outcome,
    version: str,
    report: Report | None = None,
    output: Source | None = None,
) -> Manifest:
    """The manifest, stored: the one that stands under its id already, or a new one."""
    id_ = _id(record, version)
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


def _id(record: JobRecord, version: str) -> str:
    return manifest_id(record.job_run_id, record.registered_at, version=version, ruleset=RULESET)


def _settled_at(record: JobRecord) -> datetime:
    return record.settled_at or record.registered_at


def _finished_at(record: JobRecord) -> datetime | None:
    """When GEM says that it finished the job; by GEM's clock."""
    is_finished = record.settlement is Settlement.FINISHED
    return record.job.modified_at if record.job and is_finished else None


def _seconds_since(then: datetime | None, deliverer: Deliverer) -> float | None:
    return round((deliverer.clock() - then).total_seconds(), 3) if then else None


def _postpone(deliverer: Deliverer, stored: StoredRecord) -> None:
    """The output is not there yet: let the sweep raise the ticket again, within the grace time."""
    record = stored.record
    now = deliverer.clock()
    left = _settled_at(record) + deliverer.output_grace - now
    due_at = now + min(LOOK_AGAIN, max(left, timedelta(0)))
    log(Event.DELIVERY_POSTPONED, job_run_id=record.job_run_id, due_at=due_at)
    try:
        deliverer.registry.replace(stored, record.due(due_at))
    except RecordConflict:  # somebody else is at it; the sweep comes anyway
        log(Event.RECORD_CONFLICT, job_run_id=record.job_run_id)


def _mark_reported(deliverer: Deliverer, served: StoredRecord, sent: Manifest) -> None:
    """Mark the job as reported, whatever else has changed in its record meanwhile.

    But for one who asked for the manifest again meanwhile, or registered the job again: this
    delivery may have looked at the output before that.
    """
    stored: StoredRecord | None = served
    while (
        stored
        and stored.record.stage is Stage.SETTLED
        and stored.record.is_same_delivery(served.record)
    ):
        reported = stored.record.reported(sent.outcome, sent.id, deliverer.clock())
        try:
            deliverer.registry.replace(stored, reported)
        except RecordConflict:
            stored = deliverer.registry.get(reported.job_run_id)
        else:
            return
