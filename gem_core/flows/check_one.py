"""What is due about one job: ask GEM, settle it if it has ended, or raise its ticket again. Edges
come in as arguments.
"""

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import timedelta
from enum import StrEnum

from gem_core.errors import (
    GemAccessError,
    GemAnswerError,
    GemError,
    GemForbidden,
    GemJobNotFound,
    GemUnavailable,
)
from gem_core.flows.checker import Checker
from gem_core.flows.sweep import repeat_ticket
from gem_core.logs import Event, log
from gem_core.watch.durations import Durations, Learned
from gem_core.watch.expectation import learned
from gem_core.watch.record import JobRecord, Settlement, Stage
from gem_core.watch.registry import ORPHAN_AGE, OpenJob, StoredRecord
from gem_core.watch.schedule import next_check, next_ticket, settlement

QUESTION = timedelta(minutes=2, seconds=30)
"""A job is claimed for at least as long as a question may take (twice the client's 60 s for a whole
answer, since a 401 is asked again, and two writes), but no longer than it may wait at all."""


class Done(StrEnum):
    """What came of one due job."""

    ASKED = "asked"
    SETTLED = "settled"
    TICKET_REPEATED = "ticket_repeated"
    PROBLEM = "problem"
    LEFT = "left"
    """To the next tick."""
    HANDED_OUT = "handed_out"
    """To `check_batch`."""
    NOTHING = "nothing"


@dataclass(slots=True)
class Common:
    """What all questions of one run have in common; used by several threads."""

    may_ask: Callable[[], bool]
    """Waits for the moment to ask GEM; False when there is none in time."""
    known: Durations = field(default_factory=Durations)
    """Of earlier jobs."""
    learned: list[Learned] = field(default_factory=list)
    """Of jobs that this run saw finished."""


def look_at(checker: Checker, job: OpenJob, common: Common) -> Done:
    """Do what is due about one job of the worklist.

    Args:
        checker: the edges.
        job: the line of the worklist, or what a batch says of it.
        common: what the run's questions share.

    Raises:
        GemAccessError: GEM refused key or token.
        StoreError: the record could not be read or written, or another writer was first.

    """
    now = checker.clock()
    registry = checker.registry
    stored = registry.get(job.job_run_id)
    if stored is None or stored.record.stage is Stage.DELIVERED:
        is_old = now - job.marked_at > ORPHAN_AGE
        if is_old and registry.unmark(job.job_run_id, etag=job.etag) and stored is None:
            # For the host's log: whoever forgot the job at a terminal has not told it.
            log(Event.JOB_FORGOTTEN, job_run_id=job.job_run_id)
        return Done.NOTHING
    record = stored.record
    if record.due_at > now:
        registry.claim(job, record.due_at)
        return Done.NOTHING
    if record.stage is Stage.SETTLED:
        repeat_ticket(checker, stored)
        return Done.TICKET_REPEATED
    return _ask_alone(checker, job, stored, common) if common.may_ask() else Done.LEFT


def _ask_alone(checker: Checker, job: OpenJob, stored: StoredRecord, common: Common) -> Done:
    """Claim the job, and ask unless another was first."""
    now = checker.clock()
    # Until it would be due again if GEM answers as before: then the marker need not be mended.
    likely = next_check(
        stored.record, now, checker.policy, jitter=checker.jitter(), known=common.known
    )
    until = max(likely, now + min(QUESTION, checker.policy.check_max))
    claim = checker.registry.claim(job, until)
    if claim is None:
        return Done.NOTHING
    try:
        return ask(checker, stored, claim, common)
    except GemForbidden:
        raise  # perhaps about this job alone: next time the others come before it
    except GemAccessError:
        # Whoever asks with a better key need not wait for the claim to end.
        checker.registry.claim(claim, stored.record.due_at)
        raise


def ask(
    checker: Checker,
    stored: StoredRecord,
    claim: OpenJob | None = None,
    common: Common | None = None,
) -> Done:
    """Ask GEM about a job that is being watched; keep the answer, and settle it if it has ended.

    Args:
        checker: the edges.
        stored: the record.
        claim: the job's marker, when it was moved for this question.
        common: of a run; None for a question by hand.

    Raises:
        GemAccessError: GEM refused key or token; the record is as it was.
        StoreError: the record could not be written, or another writer was first.

    """
    record, retry_after = _question(checker, stored.record)
    now = checker.clock()
    # A failed request says nothing about the job, so nothing is concluded from it.
    ended = None if record.failures else settlement(record, now, checker.policy)
    if ended:
        if common and ended is Settlement.FINISHED:
            common.learned += learned(record)
        record = record.settled(ended, now).ticketed()
        record = record.due(next_ticket(record, now, checker.policy))
        _keep(checker, stored, record, claim)
        log(
            Event.JOB_SETTLED,
            job_run_id=record.job_run_id,
            settlement=ended,
            times_checked=record.times_checked,
        )
        checker.registry.raise_ticket(record)
        return Done.SETTLED
    due_at = next_check(
        record,
        now,
        checker.policy,
        jitter=checker.jitter(),
        retry_after=retry_after,
        claimed=claim.due_at if claim else None,
        known=common.known if common else None,
    )
    _keep(checker, stored, record.due(due_at), claim)
    return Done.PROBLEM if record.failures else Done.ASKED


def _keep(checker: Checker, stored: StoredRecord, record: JobRecord, claim: OpenJob | None) -> None:
    if claim:
        checker.registry.replace_claimed(stored, record, claim)
    else:
        checker.registry.replace(stored, record)


def _question(checker: Checker, record: JobRecord) -> tuple[JobRecord, timedelta]:
    """The record after one question to GEM, and how long GEM wants to be left alone."""
    job_run_id = record.job_run_id
    try:
        job = checker.gem.get_job(job_run_id)
    except GemAccessError:
        raise
    except GemJobNotFound:
        record = record.answered_not_found(checker.clock())
        log(Event.JOB_NOT_FOUND, job_run_id=job_run_id, not_found=record.not_found)
        return record, timedelta(0)
    except GemError as error:
        if isinstance(error, GemAnswerError):
            log(Event.JOB_DRIFTED, job_run_id=job_run_id, drift=[str(error)])
        record = record.not_answered(str(error), checker.clock())
        log(
            Event.JOB_NOT_ANSWERED,
            job_run_id=job_run_id,
            failures=record.failures,
            reason=str(error),
        )
        seconds = error.retry_after_seconds if isinstance(error, GemUnavailable) else None
        return record, timedelta(seconds=seconds or 0)
    log(
        Event.JOB_CHECKED,
        job_run_id=job_run_id,
        status=job.status_text[:40],
        progress=job.progress,
    )
    if job.drift:
        log(Event.JOB_DRIFTED, job_run_id=job_run_id, drift=job.drift)
    return record.answered(job, checker.clock()), timedelta(0)
