"""Audits the output of a settled job: finds what its manifest will say.

It stores only the number of attempts, and sends nothing.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta

from gem_core.audit.child.result import AuditResult, PageOptions
from gem_core.audit.judging.not_opened import NotOpened, Obstacle
from gem_core.audit.reading.source import Source
from gem_core.deliver.cloud_event import CloudEvent
from gem_core.deliver.version import NotAudited, Version
from gem_core.errors import (
    AuditError,
    OutputChanged,
    OutputMissing,
    OutputRefused,
    OutputUnreachable,
)
from gem_core.flows.deliverer import Deliverer, PageMode
from gem_core.flows.job_files import open_input, output_name
from gem_core.gem.job import GemJob
from gem_core.logs import Event, log
from gem_core.outcome import Outcome
from gem_core.watch.record import JobRecord, Settlement

MAX_AUDITS = 3
"""Audits for one ticket. If the output changes during each of them, the report says so."""
RETRY_WAIT = timedelta(minutes=2)
"""The time between two tries while a file or a disk cannot be used."""
MAX_RETRY_TIME = timedelta(minutes=10)
"""How long to retry while the input or the disk cannot be used, or while the output is replaced
each time before its manifest is sent. This is longer than most outages, and still short for an
operator who never gave the app the right to read inputs."""
MAX_BEGUN = 10
"""How many audits of one output may begin and never end: five tries by the host for each of two
tickets."""
BEGUN_WITH_INPUT = MAX_BEGUN // 2
"""How many of them may read the input. After that the input is skipped: it may be what ends the
process, and a problem with the input never makes an output invalid."""


@dataclass(frozen=True, slots=True)
class Audited:
    """What the manifest will say."""

    outcome: Outcome
    version: Version
    """What the manifest describes."""
    result: AuditResult | None = None
    """None when there is no output to judge."""
    output: Source | None = None
    """The audited output; None when no file was opened."""


@dataclass(frozen=True, slots=True)
class Wait:
    """The manifest must wait, because the problem may pass."""

    until: datetime
    """When to try again."""
    reason: str


def audit_output(deliverer: Deliverer, record: JobRecord) -> Audited | CloudEvent | Wait:
    """Audit the output of a settled job as it is now.

    Returns:
        `Audited`: what the manifest will say. `CloudEvent`: the manifest that an earlier delivery
        stored for this version of the output. `Wait`: when to try again.

    Raises:
        OutputUnreachable: the output could not be opened: storage refused access or did not answer.
        StoreError: the app's own storage refused access or did not answer.

    """
    job = record.job
    if record.settlement is not Settlement.FINISHED or job is None:
        outcome = Outcome(str(record.settlement))
        return Audited(outcome, Version.of_settlement(outcome))
    try:
        return _audit_finished(deliverer, record, job)
    except AuditError as error:  # says nothing certain about the file
        return _retry(deliverer, error)


def _audit_finished(
    deliverer: Deliverer, record: JobRecord, job: GemJob
) -> Audited | CloudEvent | Wait:
    """Audit the output of a finished job. Raises AuditError if an audit gave no verdict."""
    for _ in range(MAX_AUDITS):
        try:
            output = deliverer.files.open(job.storage_id, output_name(job))
            return _audit_version(deliverer, record, job, output)
        except OutputMissing as error:
            now = deliverer.clock()
            ends = (record.settled_at or record.registered_at) + deliverer.output_grace
            if now < ends:
                return Wait(min(now + RETRY_WAIT, ends), str(error))
            return Audited(Outcome.OUTPUT_MISSING, Version.output_missing(record.redelivered_at))
        except OutputRefused as error:
            return _not_opened(deliverer, job, Version.refused(), Obstacle.NAMES, str(error))
        except OutputChanged:
            log(Event.OUTPUT_CHANGED, job_run_id=record.job_run_id)
    detail = "it was overwritten each time while it was read"
    version = Version.changed(record.redelivered_at)
    return _not_opened(deliverer, job, version, Obstacle.CHANGED, detail, output)


def _not_opened(
    deliverer: Deliverer,
    job: GemJob,
    version: Version,
    obstacle: Obstacle,
    detail: str,
    output: Source | None = None,
) -> Audited:
    """Report an output that is not opened, and why."""
    why = NotOpened(obstacle, detail)
    result = deliverer.report_not_opened(job, why, output, page=_page(deliverer))
    return Audited(result.outcome, version, result, output)


def _audit_version(
    deliverer: Deliverer, record: JobRecord, job: GemJob, output: Source
) -> Audited | CloudEvent | Wait:
    """Audit this version of the output, unless its manifest is stored already.

    Raises:
        OutputChanged: the output was replaced while it was read.

    """
    in_full = Version.of_etag(output.etag)
    in_part = Version.in_part(output.etag, record.redelivered_at)
    ids = in_full.event_id(record), in_part.event_id(record)
    if event := deliverer.outbox.get(record.job_run_id, *ids):
        return event
    result = _audit(deliverer, record, job, output)
    if isinstance(result, Wait) or result.version == in_full:
        return result
    # Meanwhile another delivery may have audited the output in full.
    return deliverer.outbox.get(record.job_run_id, *ids) or result


def _audit(deliverer: Deliverer, record: JobRecord, job: GemJob, output: Source) -> Audited | Wait:
    """Audit the output, or wait while a problem that may pass prevents some of the checks."""
    request = record.redelivered_at
    with deliverer.attempts.counted(record, output.etag) as begun:
        if begun > MAX_BEGUN:
            version = Version.not_audited(output.etag, NotAudited.NEVER_ENDED, request)
            detail = f"{MAX_BEGUN} audits of it began, and none ended"
            return _not_opened(deliverer, job, version, Obstacle.ENDED_EARLY, detail, output)
        input_ = open_input(deliverer, job, skip=begun > BEGUN_WITH_INPUT)
        if input_.retryable and (wait := wait_for(deliverer, record, input_.note)):
            return wait
        try:
            result = deliverer.audit(
                output,
                job,
                input_source=input_.source,
                input_note=input_.note,
                expected_input=record.expected_input_name,
                page=_page(deliverer),
            )
        except OutputUnreachable as error:  # storage is slow, or does not answer any more
            return _retry(deliverer, error)
    log(
        Event.OUTPUT_AUDITED,
        job_run_id=job.job_run_id,
        outcome=result.outcome,
        rows=result.rows,
        share_matched=result.share_matched,
        bytes=output.size_bytes,
        bytes_read=result.bytes_read,
        requests=result.requests,
    )
    if result.temporary_problem and (wait := wait_for(deliverer, record, result.temporary_problem)):
        return wait
    version = Version.of_etag(output.etag)
    if not result.is_read:
        version = Version.not_audited(output.etag, NotAudited.LIMITS, request)
    elif input_.skipped or input_.retryable or result.input_left_out or result.temporary_problem:
        version = Version.in_part(output.etag, request)
    return Audited(result.outcome, version, result, output)


def _page(deliverer: Deliverer) -> PageOptions | None:
    """How to draw the page of a report that is made now; None draws none."""
    if deliverer.page is PageMode.NONE:
        return None
    return PageOptions(deliverer.clock(), with_map=deliverer.page is PageMode.WITH_MAP)


def _retry(deliverer: Deliverer, error: Exception) -> Wait:
    """Try again later, and conclude nothing from this try."""
    return Wait(deliverer.clock() + RETRY_WAIT, str(error))


def wait_for(deliverer: Deliverer, record: JobRecord, problem: str) -> Wait | None:
    """Wait for a problem to pass; None when this delivery has waited for `MAX_RETRY_TIME`."""
    now = deliverer.clock()
    ends = deliverer.attempts.waiting_since(record, now) + MAX_RETRY_TIME
    return Wait(min(now + RETRY_WAIT, ends), problem) if now < ends else None
