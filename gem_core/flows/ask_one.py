"""Asks GEM about one watched job, stores the answer, and settles the job if it has ended."""

from collections.abc import Callable
from datetime import datetime, timedelta

from gem_core.errors import (
    GemAccessError,
    GemAnswerError,
    GemError,
    GemForbidden,
    GemJobNotFound,
    GemUnavailable,
)
from gem_core.flows.ask_gem import answers_otherwise, ask_gem
from gem_core.flows.check_run import DueJobResult, RunContext
from gem_core.flows.checker import Checker
from gem_core.logs import Event, log
from gem_core.watch.expectation import observed_durations
from gem_core.watch.marker import OpenJob
from gem_core.watch.record import JobRecord, Settlement
from gem_core.watch.registry import StoredRecord
from gem_core.watch.schedule import is_beyond_deadline, next_check, next_ticket, settlement


def ask(
    checker: Checker,
    stored: StoredRecord,
    claim: OpenJob | None = None,
    context: RunContext | None = None,
) -> DueJobResult:
    """Ask GEM about a watched job and store the answer; settle the job if it has ended.

    Args:
        checker: the dependencies.
        stored: the record.
        claim: the job's marker, if this process has claimed the job.
        context: what all checks of a run share; None when a person asked for this check.

    Raises:
        GemAccessError: GEM refused the key or the token; the record does not change.
        StoreError: the record could not be written, or another process changed it first.

    """
    may_ask = context.wait_to_ask if context else _at_once
    record, retry_after = _request(checker, stored.record, may_ask)
    now = checker.clock()
    reason = settlement(record, now, checker.policy)
    if reason is Settlement.LOST and not checker.heartbeat.may_lose(now):
        reason = settlement(record, now, checker.policy, may_be_lost=False)
    if reason:
        if context and reason is Settlement.FINISHED:
            context.observed += observed_durations(record)
        _settle(checker, stored, record.settled(reason, now), claim, now)
        return DueJobResult.SETTLED
    due_at = next_check(
        record,
        now,
        checker.policy,
        jitter=checker.jitter(),
        retry_after=retry_after,
        claimed=claim.due_at if claim else None,
        known=context.known if context else None,
    )
    _store(checker, stored, record.due(due_at), claim)
    return DueJobResult.NOT_ANSWERED if record.failures else DueJobResult.ASKED


def _settle(
    checker: Checker, stored: StoredRecord, record: JobRecord, claim: OpenJob | None, now: datetime
) -> None:
    """Store the settled record, then raise its ticket. If the process dies in between, the sweep
    raises the ticket.
    """
    record = record.ticket_raised()
    record = record.due(next_ticket(record, now, checker.policy))
    _store(checker, stored, record, claim)
    log(
        Event.JOB_SETTLED,
        job_run_id=record.job_run_id,
        settlement=record.settlement,
        times_checked=record.times_checked,
    )
    checker.registry.raise_ticket(record)


def _store(
    checker: Checker, stored: StoredRecord, record: JobRecord, claim: OpenJob | None
) -> None:
    if claim:
        checker.registry.replace_claimed(stored, record, claim)
    else:
        checker.registry.replace(stored, record)


def _at_once() -> bool:
    """A question that a person asks does not wait for the rate limiter."""
    return True


def _request(
    checker: Checker, record: JobRecord, may_ask: Callable[[], bool]
) -> tuple[JobRecord, timedelta]:
    """The record after GEM was asked, and the least wait that GEM asked for (Retry-After)."""
    job_run_id = record.job_run_id
    answered_in = record.job.contract if record.job else None
    try:
        job = ask_gem(checker.gem, job_run_id, answered_in, may_ask)
    except GemForbidden as error:
        if not _answers_beyond_deadline(checker, record, error, may_ask):
            raise
        return _not_answered(checker, record, error, is_beyond_deadline=True)
    except GemAccessError:
        raise
    except GemJobNotFound:
        now = checker.clock()
        is_late = is_beyond_deadline(record, now, checker.policy)
        record = record.answered_not_found(now, is_beyond_deadline=is_late)
        log(Event.JOB_NOT_FOUND, job_run_id=job_run_id, not_found=record.not_found)
        return record, timedelta(0)
    except GemError as error:
        beyond_deadline = _answers_beyond_deadline(checker, record, error, may_ask)
        return _not_answered(checker, record, error, is_beyond_deadline=beyond_deadline)
    log(
        Event.JOB_CHECKED,
        job_run_id=job_run_id,
        status=job.status_text[:40],
        progress=job.progress,
    )
    if job.drift:
        log(Event.JOB_DRIFTED, job_run_id=job_run_id, drift=job.drift)
    now = checker.clock()
    is_late = is_beyond_deadline(record, now, checker.policy)
    return record.answered(job, now, is_beyond_deadline=is_late), timedelta(0)


def _not_answered(
    checker: Checker, record: JobRecord, error: GemError, *, is_beyond_deadline: bool
) -> tuple[JobRecord, timedelta]:
    if isinstance(error, GemAnswerError):
        log(Event.JOB_DRIFTED, job_run_id=record.job_run_id, drift=[str(error)])
    record = record.not_answered(
        error.in_full, checker.clock(), is_beyond_deadline=is_beyond_deadline
    )
    log(
        Event.JOB_NOT_ANSWERED,
        job_run_id=record.job_run_id,
        failures=record.failures,
        reason=str(error),
    )
    seconds = error.retry_after_seconds if isinstance(error, GemUnavailable) else None
    return record, timedelta(seconds=seconds or 0)


def _answers_beyond_deadline(
    checker: Checker, record: JobRecord, error: GemError, may_ask: Callable[[], bool]
) -> bool:
    """Whether the job's deadline has passed, and GEM answers, but not about this job.

    Raises:
        GemAccessError: GEM refused the key or the token.

    """
    if not is_beyond_deadline(record, checker.clock(), checker.policy):
        return False
    return isinstance(error, GemAnswerError) or answers_otherwise(checker.gem, may_ask)
