"""Does what is due for one job: claims it and asks GEM about it, or raises its ticket again."""

from datetime import timedelta

from gem_core.errors import GemAccessError, GemForbidden, GemUnauthorized, RecordUnreadable
from gem_core.flows.ask_one import ask
from gem_core.flows.check_run import DueJobResult, RunContext
from gem_core.flows.checker import Checker
from gem_core.flows.refusals import Refusal
from gem_core.flows.sweep import repeat_ticket
from gem_core.logs import Event, log
from gem_core.watch.marker import JobState, OpenJob
from gem_core.watch.record import Stage
from gem_core.watch.registry import ORPHAN_AGE, StoredRecord
from gem_core.watch.schedule import is_due, next_check

MAX_CHECK_TIME = timedelta(minutes=2, seconds=30)
"""How long most checks may take: two requests to GEM of at most 60 s each, and two writes. A claim
lasts at least this long, but never longer than `Policy.check_max`. A check that asks more often,
and slowly, may outlast its claim; then another run may ask too, and only one of them writes."""

UNREADABLE_WAIT = timedelta(hours=1)
"""When a record that could not be read is read again, so that it is one log line an hour."""


def check_one(checker: Checker, job: OpenJob, context: RunContext) -> DueJobResult:
    """Do what is due for one job.

    Args:
        checker: the dependencies.
        job: the job's entry in the worklist, or in a batch.
        context: what all checks of this run share.

    Raises:
        GemAccessError: there is no token, or two jobs in a row were refused.
        StoreError: the record could not be read or written, or another process changed it first.

    """
    now = checker.clock()
    registry = checker.registry
    try:
        stored = registry.get(job.job_run_id)
    except RecordUnreadable as error:
        # A newer version may have written it, so it stays. It is read again after an hour.
        registry.claim(job, now + UNREADABLE_WAIT, JobState.UNREADABLE)
        log(Event.RECORD_UNREADABLE, job_run_id=job.job_run_id, reason=str(error))
        return DueJobResult.UNREADABLE
    if stored is None or stored.record.stage is Stage.DELIVERED:
        if registry.close(job, now + ORPHAN_AGE) and stored is None:
            # A command that deletes a job does not write to the host's log, so this line does.
            log(Event.JOB_FORGOTTEN, job_run_id=job.job_run_id)
        return DueJobResult.NOTHING
    record = stored.record
    if not is_due(record.due_at, now, checker.policy):
        registry.claim(job.showing(record), record.due_at)  # the marker said an earlier time
        return DueJobResult.NOTHING
    return _check_open(checker, job, stored, context)


def _check_open(
    checker: Checker, job: OpenJob, stored: StoredRecord, context: RunContext
) -> DueJobResult:
    """Do what is due for a job that is open, by its record."""
    registry, record = checker.registry, stored.record
    if record.discovered and not record.times_checked and registry.tombstones.has(job.job_run_id):
        registry.withdraw(stored)  # somebody removed the job while it was being added
        return DueJobResult.NOTHING
    if record.stage is Stage.SETTLED:
        repeat_ticket(checker, stored)
        return DueJobResult.TICKET_REPEATED
    if not context.wait_to_ask():
        return DueJobResult.REMAINING
    return _claim_and_ask(checker, job, stored, context)


def _claim_and_ask(
    checker: Checker, job: OpenJob, stored: StoredRecord, context: RunContext
) -> DueJobResult:
    """Claim the job and ask GEM; do nothing if another process claimed the job first."""
    now = checker.clock()
    # The claim ends when the job is due again if GEM's answer has not changed. The marker is then
    # already correct and need not be written a second time.
    likely = next_check(
        stored.record, now, checker.policy, jitter=checker.jitter(), known=context.known
    )
    until = max(likely, now + min(MAX_CHECK_TIME, checker.policy.check_max))
    claim = checker.registry.claim(job.showing(stored.record), until, job.state)
    if claim is None:
        return DueJobResult.NOTHING
    try:
        result = ask(checker, stored, claim, context)
    except (GemUnauthorized, GemForbidden) as error:
        # The claim stays, and the marker says why: the next tick asks about the others first.
        refused = checker.registry.claim(claim, claim.due_at, JobState.REFUSED)
        if context.refusals.add(Refusal(stored, refused or claim, error)):
            raise
        return DueJobResult.REFUSED
    except GemAccessError:
        # End the claim, so that the job is due as soon as the key or the token is corrected.
        checker.registry.claim(claim, stored.record.due_at)
        raise
    if result is not DueJobResult.NOT_ANSWERED:
        context.refusals.answered()
    return result


def store_refusal(checker: Checker, refusal: Refusal) -> None:
    """Store that GEM refused to answer about this job alone.

    Raises:
        StoreError: the record could not be written, or another process changed it first.

    """
    now, error = checker.clock(), refusal.error
    record = refusal.stored.record.not_answered(error.in_full, now)
    log(
        Event.JOB_NOT_ANSWERED,
        job_run_id=record.job_run_id,
        failures=record.failures,
        reason=str(error),
    )
    due_at = next_check(record, now, checker.policy, jitter=checker.jitter())
    checker.registry.replace_claimed(refusal.stored, record.due(due_at), refusal.claim)
