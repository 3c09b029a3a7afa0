"""What is known of the output of a finished job, as it is now. Edges come in as arguments.

Nothing is stored here but the attempts, and nothing is sent.
"""

from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime, timedelta

from gem_core.audit.audit import changed_report, given_up_report, refused_report
from gem_core.audit.judging.report import Report
from gem_core.audit.reading.source import Source
from gem_core.deliver.cloud_event import CloudEvent
from gem_core.deliver.version import Version
from gem_core.errors import (
    OutputChanged,
    OutputError,
    OutputMissing,
    OutputRefused,
    OutputUnreachable,
    StoreError,
)
from gem_core.flows.deliverer import Deliverer
from gem_core.flows.job_files import OpenedInput, open_input, output_name
from gem_core.gem.job import GemJob
from gem_core.logs import Event, log
from gem_core.outcome import Outcome
from gem_core.watch.record import JobRecord

MAX_AUDITS = 3
"""Of one ticket: an output that changes during each of them is reported as such."""
LOOK_AGAIN = timedelta(minutes=2)
"""How long to wait for what is not there yet."""
INPUT_PATIENCE = timedelta(minutes=10)
"""How long to wait for an input or a disk that cannot be used: longer than a hiccup lasts, and not
long for those who never gave the right to read inputs."""
MAX_BEGUN = 10
"""Audits of one output that began and never ended: the host's five tries of two tickets."""
BEGUN_WITH_INPUT = MAX_BEGUN // 2
"""The first of these: what ends the process may be the input, which is no fault of the output."""


@dataclass(frozen=True, slots=True)
class Audited:
    """What the manifest of a job is to say."""

    outcome: Outcome
    version: Version
    """What it describes."""
    report: Report | None = None
    """None when there is no output to report on."""
    output: Source | None = None
    """What the report is about; None when nothing was opened."""


@dataclass(frozen=True, slots=True)
class Wait:
    """Nothing can be said yet: what is missing may still come."""

    until: datetime
    """When to look again."""
    reason: str


def audit_output(
    deliverer: Deliverer, record: JobRecord, job: GemJob
) -> Audited | CloudEvent | Wait:
    """What is known of the output; the event, when an earlier delivery stored one about it.

    Raises:
        OutputUnreachable: the output storage refused or did not answer.
        StoreError: our own storage did.

    """
    for _ in range(MAX_AUDITS):
        try:
            output = deliverer.files.open(job.storage_id, output_name(job))
            return _audit_version(deliverer, record, job, output)
        except OutputMissing as error:
            now = deliverer.clock()
            ends = (record.settled_at or record.registered_at) + deliverer.output_grace
            if now < ends:
                return Wait(min(now + LOOK_AGAIN, ends), str(error))
            return Audited(Outcome.OUTPUT_MISSING, Version.output_missing())
        except OutputRefused as error:
            report = refused_report(job, str(error))
            return Audited(report.outcome, Version.refused(), report)
        except OutputChanged:
            log(Event.OUTPUT_CHANGED, job_run_id=record.job_run_id)
    report = changed_report(output, job)
    return Audited(report.outcome, Version.changed(), report, output)


def _audit_version(
    deliverer: Deliverer, record: JobRecord, job: GemJob, output: Source
) -> Audited | CloudEvent | Wait:
    """What is known of this version of the output. Raises OutputChanged when it is another now."""
    in_full = Version.of_etag(output.etag)
    known = in_full, Version.in_part(output.etag, record.redelivered_at)
    if event := _stored(deliverer, record, known):
        return event
    found = _count_and_audit(deliverer, record, job, output)
    if isinstance(found, Wait):
        return found
    # Meanwhile another delivery may have audited it in full.
    if found.version != in_full and (event := _stored(deliverer, record, known)):
        return event
    with suppress(OutputUnreachable):  # the report stays true of what was audited
        if output.size_bytes:
            output.read(0, 1)
    return found


def _stored(
    deliverer: Deliverer, record: JobRecord, versions: tuple[Version, ...]
) -> CloudEvent | None:
    """The event about the first of these versions that has one; it is sent until it arrived."""
    events = (deliverer.outbox.get(record.job_run_id, each.event_id(record)) for each in versions)
    return next(filter(None, events), None)


def _count_and_audit(
    deliverer: Deliverer, record: JobRecord, job: GemJob, output: Source
) -> Audited | Wait:
    """Audit the output, unless too many audits of it ended the process."""
    begun = deliverer.attempts.begin(record, output.etag)
    if begun.count > MAX_BEGUN:
        # The count stays, so that a repeat says the same. A redelivery has a count of its own.
        return _audited(record, given_up_report(output, job, begun=MAX_BEGUN), output)
    try:
        input_ = open_input(deliverer, job, leave_out=begun.count > BEGUN_WITH_INPUT)
        found = _audit(deliverer, record, job, output, input_)
    except (OutputError, StoreError):
        # Of storage, not of the file. All else would come again each time: its count stays.
        deliverer.attempts.end(begun)
        raise
    deliverer.attempts.end(begun)
    return found


def _audit(
    deliverer: Deliverer, record: JobRecord, job: GemJob, output: Source, input_: OpenedInput
) -> Audited | Wait:
    """Audit the output, unless trouble that may pass keeps checks back: that is waited for."""
    if input_.may_come and (wait := _wait_for(deliverer, record, input_.note)):
        return wait
    report = deliverer.audit(
        output,
        job,
        input_source=input_.source,
        input_note=input_.note,
        expected_input=record.expected_input_file_name,
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
    if report.kept_back and (wait := _wait_for(deliverer, record, report.kept_back)):
        return wait
    in_part = bool(input_.left_out or input_.may_come or report.kept_back)
    return _audited(record, report, output, in_part=in_part)


def _wait_for(deliverer: Deliverer, record: JobRecord, trouble: str) -> Wait | None:
    """How long to wait for trouble to pass that keeps checks back; None when it was long enough."""
    now = deliverer.clock()
    ends = deliverer.attempts.waiting_since(record, now) + INPUT_PATIENCE
    return Wait(min(now + LOOK_AGAIN, ends), trouble) if now < ends else None


def _audited(
    record: JobRecord, report: Report, output: Source, *, in_part: bool = False
) -> Audited:
    """What a report leads to. Only what another audit would find too is under the ETag alone."""
    request = record.redelivered_at
    if reason := report.facts.given_up or report.facts.too_much:
        version = Version.not_audited(output.etag, reason, request)
    elif in_part:
        version = Version.in_part(output.etag, request)
    else:
        version = Version.of_etag(output.etag)
    return Audited(report.outcome, version, report, output)
