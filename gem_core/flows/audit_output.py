"""What the manifest of a settled job is to say. Edges come in as arguments.

Nothing is stored here but the attempts, and nothing is sent.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta

from gem_core.audit.audit import changed_report, given_up_report, refused_report
from gem_core.audit.judging.report import Report
from gem_core.audit.reading.source import Source
from gem_core.deliver.cloud_event import CloudEvent
from gem_core.deliver.version import NotAudited, Version
from gem_core.errors import (
    OutputChanged,
    OutputMissing,
    OutputRefused,
)
from gem_core.flows.deliverer import Deliverer
from gem_core.flows.job_files import open_input, output_name
from gem_core.gem.job import GemJob
from gem_core.logs import Event, log
from gem_core.outcome import Outcome
from gem_core.watch.record import JobRecord, Settlement

MAX_AUDITS = 3
"""Of one ticket: an output that changes during each of them is reported as such."""
LOOK_AGAIN = timedelta(minutes=2)
"""How long to wait for what is not there yet."""
INPUT_PATIENCE = timedelta(minutes=10)
"""How long to wait for an input or a disk that cannot be used: longer than a hiccup lasts, and not
long for those who never gave the right to read inputs. Also for an output that is written again
each time before its manifest is sent."""
MAX_BEGUN = 10
"""Audits of one output that began and never ended: the host's five tries of two tickets."""
BEGUN_WITH_INPUT = MAX_BEGUN // 2
"""The first of these: what ends the process may be the input, which is no fault of the output."""


@dataclass(frozen=True, slots=True)
class Audited:
    """What the manifest is to say."""

    outcome: Outcome
    version: Version
    """What it describes."""
    report: Report | None = None
    """None when there is no output to judge."""
    output: Source | None = None
    """What the report is about; None when nothing was opened."""


@dataclass(frozen=True, slots=True)
class Wait:
    """Nothing can be said yet: what is missing may still come."""

    until: datetime
    """When to look again."""
    reason: str


def audit_output(deliverer: Deliverer, record: JobRecord) -> Audited | CloudEvent | Wait:
    """What is known of a settled job's output, as it is now.

    Returns:
        What the manifest is to say; the manifest itself, when an earlier delivery stored one about
        this version of the output; or until when to wait.

    Raises:
        OutputUnreachable: the output storage refused or did not answer.
        StoreError: our own storage did.

    """
    job = record.job
    if record.settlement is not Settlement.FINISHED or job is None:
        outcome = Outcome(str(record.settlement))
        return Audited(outcome, Version.of_settlement(outcome))
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
    """What is known of this version of the output. Raises OutputChanged when it is replaced."""
    in_full = Version.of_etag(output.etag)
    in_part = Version.in_part(output.etag, record.redelivered_at)
    ids = in_full.event_id(record), in_part.event_id(record)
    if event := deliverer.outbox.get(record.job_run_id, *ids):
        return event
    found = _audit(deliverer, record, job, output)
    if isinstance(found, Wait) or found.version == in_full:
        return found
    # Meanwhile another delivery may have audited it in full.
    return deliverer.outbox.get(record.job_run_id, *ids) or found


def _audit(deliverer: Deliverer, record: JobRecord, job: GemJob, output: Source) -> Audited | Wait:
    """Audit the output, unless trouble that may pass keeps checks back: that is waited for."""
    request = record.redelivered_at
    with deliverer.attempts.counted(record, output.etag) as begun:
        if begun > MAX_BEGUN:
            report = given_up_report(output, job, begun=MAX_BEGUN)
            version = Version.not_audited(output.etag, NotAudited.NEVER_ENDED, request)
            return Audited(report.outcome, version, report, output)
        input_ = open_input(deliverer, job, leave_out=begun > BEGUN_WITH_INPUT)
        if input_.may_come and (wait := wait_for(deliverer, record, input_.note)):
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
    if report.kept_back and (wait := wait_for(deliverer, record, report.kept_back)):
        return wait
    version = Version.of_etag(output.etag)
    if report.facts.too_much:
        version = Version.not_audited(output.etag, NotAudited.LIMITS, request)
    elif input_.left_out or input_.may_come or report.kept_back:
        version = Version.in_part(output.etag, request)
    return Audited(report.outcome, version, report, output)


def wait_for(deliverer: Deliverer, record: JobRecord, trouble: str) -> Wait | None:
    """Until when to wait for trouble to pass that may; None when that was done for long enough."""
    now = deliverer.clock()
    ends = deliverer.attempts.waiting_since(record, now) + INPUT_PATIENCE
    return Wait(min(now + LOOK_AGAIN, ends), trouble) if now < ends else None
