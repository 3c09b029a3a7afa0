"""The part of a delivery that audits: the output as it is now leads to a manifest that is stored.

Edges come in as arguments.
"""

from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime, timedelta

from gem_core.audit.audit import changed_report, given_up_report, refused_report
from gem_core.audit.judging.report import Report
from gem_core.audit.reading.source import Source
from gem_core.deliver.manifest import Manifest
from gem_core.errors import (
    OutputChanged,
    OutputError,
    OutputMissing,
    OutputRefused,
    OutputUnreachable,
    StoreError,
)
from gem_core.flows.deliverer import Deliverer
from gem_core.flows.job_files import open_input, output_name
from gem_core.flows.keep_manifest import id_of, keep, settled_at
from gem_core.gem.job import GemJob
from gem_core.logs import Event, log
from gem_core.outcome import Outcome
from gem_core.watch.record import JobRecord

MAX_AUDITS = 3
"""Of one ticket: an output that changes each time it is read is reported as such."""
LOOK_AGAIN = timedelta(minutes=2)
"""How long to wait for what is not there yet."""
INPUT_PATIENCE = timedelta(minutes=10)
"""How long to wait for an input or a disk that cannot be used: longer than a hiccup lasts, and not
long for those who never gave the right to read inputs."""
MAX_BEGUN = 10
"""Audits of one output that began and never ended: the host's five tries of two tickets."""
BEGUN_WITH_INPUT = MAX_BEGUN // 2
"""Of these, the first: what ends the process may be the input, which is no fault of the output."""


@dataclass(frozen=True, slots=True)
class Wait:
    """There is no manifest yet: what is missing may still come."""

    until: datetime
    """When to look again."""
    reason: str


def audited(deliverer: Deliverer, record: JobRecord, job: GemJob) -> Manifest | Wait:
    """The manifest of the output as it is now, or until when to wait for what it needs."""
    for _ in range(MAX_AUDITS):
        try:
            output = deliverer.files.open(job.storage_id, output_name(job))
            return _held(deliverer, record, output) or _made(deliverer, record, job, output)
        except OutputMissing as error:
            now, ends = deliverer.clock(), settled_at(record) + deliverer.output_grace
            if now < ends:
                return Wait(min(now + LOOK_AGAIN, ends), str(error))
            return keep(deliverer, record, Outcome.OUTPUT_MISSING, Outcome.OUTPUT_MISSING)
        except OutputRefused as error:
            report = refused_report(job, str(error))
            return keep(deliverer, record, Outcome.INVALID, "refused", report)
        except OutputChanged:
            log(Event.OUTPUT_CHANGED, job_run_id=record.job_run_id)
    # Not under the last ETag: a file that holds still later is to be audited as what it is then.
    return keep(deliverer, record, Outcome.INVALID, "changed", changed_report(output, job))


def _held(deliverer: Deliverer, record: JobRecord, output: Source) -> Manifest | None:
    """What was stored for this delivery: it is sent, until the queue has it."""
    for version in (output.etag, _in_part(record, output)):
        if held := deliverer.outbox.get(record.job_run_id, id_of(record, version)):
            return held
    return None


def _in_part(record: JobRecord, output: Source) -> str:
    """The version that an audit in part speaks of."""
    return _of_this_request(record, f"in part {output.etag}")


def _of_this_request(record: JobRecord, what: str) -> str:
    """What is true of this delivery and its repeats; a redelivery knows nothing of it."""
    return f"{what} {record.redelivered_at or ''}"


def _made(deliverer: Deliverer, record: JobRecord, job: GemJob, output: Source) -> Manifest | Wait:
    """The manifest of this version of the output, from an audit."""
    found = _report(deliverer, record, job, output)
    if isinstance(found, Wait):
        return found
    report, version = found
    # Meanwhile another delivery may have told more than this one can.
    if version != output.etag and (held := _held(deliverer, record, output)):
        return held
    kept = keep(deliverer, record, report.outcome, version, report, output)
    _look_once_more(output)
    return kept


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
) -> tuple[Report, str] | Wait:
    """The report of an output, and the version that its manifest speaks of."""
    this = record.job_run_id, id_of(record, _of_this_request(record, f"begun {output.etag}"))
    begun = deliverer.outbox.begin(*this)
    if begun > MAX_BEGUN:
        # Each audit ended the process: say so, rather than try for ever. The count stands, so that
        # a repeat says so too; a redelivery tries anew.
        version = _of_this_request(record, f"given up {output.etag}")
        return given_up_report(output, job, begun=MAX_BEGUN), version
    try:
        found = _report_or_trouble(deliverer, record, job, output, begun=begun)
    except (OutputError, StoreError):
        # Of storage, not of the file. All else would come again each time: its count stands.
        deliverer.outbox.end(*this)
        raise
    deliverer.outbox.end(*this)
    return found


def _report_or_trouble(
    deliverer: Deliverer, record: JobRecord, job: GemJob, output: Source, *, begun: int
) -> tuple[Report, str] | Wait:
    """The same, unless trouble that may pass keeps checks back: that is waited for, for a while."""
    input_ = open_input(deliverer, job, is_deadly=begun > BEGUN_WITH_INPUT)
    if input_.may_come and (wait := _patience(deliverer, record, input_.note)):
        return wait
    report = deliverer.audit(
        output,
        job,
        input_source=input_.source,
        input_note=input_.note,
        expected_input=record.expected_input_name,
    )
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
    if report.kept_back and (wait := _patience(deliverer, record, report.kept_back)):
        return wait
    is_whole = not (input_.left_out or input_.may_come or report.kept_back)
    return report, output.etag if is_whole else _in_part(record, output)


def _patience(deliverer: Deliverer, record: JobRecord, reason: str) -> Wait | None:
    """How long to wait for trouble to pass that keeps checks back; None when that was enough.

    One patience for all versions of the output: it may be written again and again meanwhile.
    """
    now, id_ = deliverer.clock(), id_of(record, _of_this_request(record, "waits"))
    ends = deliverer.outbox.waits_since(record.job_run_id, id_, now) + INPUT_PATIENCE
    return Wait(min(now + LOOK_AGAIN, ends), reason) if now < ends else None
