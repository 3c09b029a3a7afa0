"""Audits the output of a settled job: finds what its manifest will say.

It stores only the number of attempts, and sends nothing.
"""

from dataclasses import dataclass

from gem_core.audit.child.result import AuditResult, PageOptions
from gem_core.audit.judging.not_opened import NotOpened, Obstacle
from gem_core.audit.reading.source import Source
from gem_core.deliver.cloud_event import CloudEvent
from gem_core.deliver.search import Search
from gem_core.deliver.version import NotAudited, Version
from gem_core.errors import OutputChanged, OutputMissing, OutputRefused
from gem_core.flows.deliverer import PageMode
from gem_core.flows.delivery import Delivery, Wait
from gem_core.flows.job_files import look_for, open_input, output_name
from gem_core.gem.contracts.known import is_known, other_outputs
from gem_core.gem.job import GemJob
from gem_core.logs import Event, log
from gem_core.outcome import Outcome
from gem_core.watch.record import Settlement

MAX_AUDITS = 3
"""Audits for one ticket. If the output changes during each of them, the report says so."""
MAX_BEGUN = 10
"""How many audits of one output may begin and never end."""
BEGUN_WITH_INPUT = MAX_BEGUN // 2
"""How many of them may read the input. An input that ends its reader is left out by the engine at
once. But one may also make the reader hang, take too long, or be killed by the system. That is only
counted, so the others go without it. A problem with the input never costs an output its verdict."""
CHECKS = "checks"
"""What a delivery waits for while the input or the disk cannot be used."""


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
    search: Search | None = None
    """Where the output of a job was looked for that has none; None when it was not looked for."""


type Found = Audited | CloudEvent | Wait | None
"""What the manifest will say; the manifest that an earlier delivery stored for this version of the
output; or how to wait. None: nobody waits for this delivery any more."""


def audit_output(delivery: Delivery) -> Found:
    """Audit the output of a settled job as it is now.

    Raises:
        OutputUnreachable: the output storage refused access, or did not answer in time.
        AuditError: an audit gave no verdict.
        StoreError: the app's own storage refused access or did not answer.

    """
    record = delivery.record
    if record.settlement is Settlement.FINISHED and record.job:
        finish = _audit_finished if is_known(record.job) else _of_newer_contract
        return finish(delivery, record.job)
    outcome = Outcome(str(record.settlement))
    search = None
    job = record.job
    if outcome in {Outcome.FAILED, Outcome.CANCELLED} and job and is_known(job):
        names = filter(None, [job.output_name or job.promised_output])
        search = look_for(delivery.deliverer, job, names)
    return Audited(outcome, Version.of_settlement(outcome), search=search)


def _audit_finished(delivery: Delivery, job: GemJob) -> Found:
    deliverer, record = delivery.deliverer, delivery.record
    for _ in range(MAX_AUDITS):
        try:
            output = deliverer.files.open(job.storage_id, output_name(job))
            return _audit_version(delivery, job, output)
        except OutputMissing as error:
            return _missing(delivery, job, str(error))
        except OutputRefused as error:
            return _not_opened(delivery, job, Version.refused(), Obstacle.NAMES, str(error))
        except OutputChanged:
            log(Event.OUTPUT_CHANGED, job_run_id=record.job_run_id)
    detail = "it was overwritten each time while it was read"
    version = Version.changed(record.redelivered_at)
    return _not_opened(delivery, job, version, Obstacle.CHANGED, detail, output)


def _missing(delivery: Delivery, job: GemJob, detail: str) -> Audited | Wait:
    """Report that the output is missing, when it has had time to come.

    An app that may not tick may look into another storage than that of the job, so it waits.
    """
    deliverer = delivery.deliverer
    if wait := delivery.wait_for_output(detail):
        return wait
    if refusal := deliverer.heartbeat.refusal(deliverer.clock()):
        return Wait(f"{detail}, but {refusal}")
    return Audited(
        Outcome.OUTPUT_MISSING,
        Version.output_missing(delivery.record.redelivered_at),
        search=look_for(deliverer, job, other_outputs(job)),
    )


def _of_newer_contract(delivery: Delivery, job: GemJob) -> Found:
    """Report a job of which only a newer version knows what to audit; see decision 123.

    That version may come back within the grace time of an output.
    """
    detail, request = "; ".join(job.drift), delivery.record.redelivered_at
    if wait := delivery.wait_for_output(detail):
        return wait
    version = Version.not_audited("", NotAudited.CONTRACT, request)
    return _not_opened(delivery, job, version, Obstacle.CONTRACT, detail)


def _not_opened(
    delivery: Delivery,
    job: GemJob,
    version: Version,
    obstacle: Obstacle,
    detail: str,
    output: Source | None = None,
) -> Audited:
    """Report an output that is not opened, and why."""
    why = NotOpened(obstacle, detail)
    result = delivery.deliverer.report_not_opened(job, why, output, page=_page(delivery))
    return Audited(result.outcome, version, result, output)


def _audit_version(delivery: Delivery, job: GemJob, output: Source) -> Found:
    """Audit this version of the output, unless its manifest is stored already.

    Raises:
        OutputChanged: the output was replaced while it was read.

    """
    outbox, record = delivery.deliverer.outbox, delivery.record
    in_full = Version.of_etag(output.etag)
    in_part = Version.in_part(output.etag, record.redelivered_at)
    ids = in_full.event_id(record), in_part.event_id(record)
    # A first delivery that has begun no audit has stored nothing.
    is_repeat = bool(record.attempts.etag or record.redelivered_at)
    if is_repeat and (event := outbox.first_of(record.job_run_id, *ids)):
        return event
    result = _audit(delivery, job, output)
    if not isinstance(result, Audited) or result.version == in_full:
        return result
    # Meanwhile another delivery may have audited the output in full.
    return outbox.first_of(record.job_run_id, *ids) or result


def _audit(delivery: Delivery, job: GemJob, output: Source) -> Audited | Wait | None:
    """Audit the output, or wait while a problem that may pass prevents some of the checks."""
    deliverer, request = delivery.deliverer, delivery.record.redelivered_at
    begun = delivery.begin_audit(output.etag)
    if begun is None:
        return None
    if begun > MAX_BEGUN:
        return _never_ended(delivery, job, output)
    input_ = open_input(deliverer, job, skip=begun > BEGUN_WITH_INPUT)
    if input_.retryable and (wait := delivery.wait_for(CHECKS, input_.note)):
        return wait
    find = deliverer.find_release
    result = deliverer.audit(
        output,
        job,
        input_source=input_.source,
        input_note=input_.note,
        expected_input=delivery.record.expected_input_name,
        page=_page(delivery),
        release=find(job.overture_release) if find else None,
    )
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
    if result.unfinished:
        reason = (
            f"the output has no whole footer, it may still be being written: {result.unfinished}"
        )
        if wait := delivery.wait_for_output(reason):
            return wait
    problem = result.temporary_problem
    if problem and (wait := delivery.wait_for(CHECKS, problem)):
        return wait
    version = Version.of_etag(output.etag)
    if not result.is_read:
        version = Version.not_audited(output.etag, NotAudited.LIMITS, request)
    elif not result.layout_known:
        version = Version.not_audited(output.etag, NotAudited.LAYOUT, request)
    elif (
        input_.skipped
        or input_.retryable
        or result.input_left_out
        or result.temporary_problem
        or result.over_limit
        or result.not_looked_up
    ):
        version = Version.in_part(output.etag, request)
    return Audited(result.outcome, version, result, output)


def _never_ended(delivery: Delivery, job: GemJob, output: Source) -> Audited:
    """Report an output whose audits began and never ended, with the last reason that is known."""
    record = delivery.record
    version = Version.not_audited(output.etag, NotAudited.NEVER_ENDED, record.redelivered_at)
    detail = f"{MAX_BEGUN} audits of it began, and none ended"
    if last := record.attempts.last_end:
        detail = f"{detail}; the last one: {last}"
    return _not_opened(delivery, job, version, Obstacle.ENDED_EARLY, detail, output)


def _page(delivery: Delivery) -> PageOptions | None:
    """How to draw the page of a report that is made now; None draws none."""
    deliverer = delivery.deliverer
    if deliverer.page is PageMode.NONE:
        return None
    with_map = deliverer.page is PageMode.WITH_MAP
    return PageOptions(deliverer.clock(), with_map=with_map, labels=delivery.record.labels)
