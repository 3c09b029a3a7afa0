"""Runs a tick: checks every due job, the oldest first, within a time budget.

With `GEM_CHECK_BATCH_SIZE` the tick sends the due jobs to `check_batch` instead.
"""

from collections.abc import Sequence
from dataclasses import asdict
from datetime import datetime, timedelta
from threading import Event as Flag

from gem_core.errors import (
    CourierError,
    GemAccessError,
    RecordConflict,
    StoreError,
)
from gem_core.flows.check_one import check_one, store_refusal
from gem_core.flows.check_run import DueJobResult, RunContext
from gem_core.flows.checker import Checker
from gem_core.flows.delete_old import delete_old
from gem_core.flows.discover_jobs import discover_jobs
from gem_core.flows.remove_poison import remove_done
from gem_core.flows.send_batches import send_batches
from gem_core.flows.turns import Turns
from gem_core.logs import Event, log
from gem_core.watch.durations import Durations
from gem_core.watch.heartbeat import Tick
from gem_core.watch.marker import OpenJob
from gem_core.watch.rate_limiter import Lease
from gem_core.watch.schedule import is_due

TICK_BUDGET = timedelta(minutes=4)
"""A tick starts no check after this time; it is far below the function timeout in host.json."""
REQUEST_BUDGET = timedelta(minutes=2)
"""The same for a tick that answers an HTTP request. Azure's front end ends a request after 230
seconds, and the last question to GEM may take a minute."""
BUSY = "other runs hold all leases of the rate limiter"


def check_jobs(
    checker: Checker, *, past_due: bool = False, budget: timedelta = TICK_BUDGET
) -> Tick:
    """Run one tick. Ticks may overlap: only the one that holds the lease asks GEM.

    A problem with one job never stops a tick. A refused key or token does, because every other
    request would fail too: the tick is stored in the heartbeat, then the error is raised. A 401 or
    403 about one job counts as a refused key only if no other job was answered after it.

    Args:
        checker: what the tick depends on.
        past_due: whether the timer fired late; only logged.
        budget: after this time no check starts.

    Raises:
        GemAccessError: GEM refused the key or the token.
        StoreClaimed: another app with another identity ticks on this storage; nothing was done.
        StoreError: the worklist, the leases or the queue of batches could not be used.

    """
    started = checker.clock()
    unfinished_since = checker.heartbeat.start(started)
    open_jobs = sorted(checker.registry.open_jobs(), key=lambda job: job.due_at)
    due = [job for job in open_jobs if is_due(job.due_at, started, checker.policy)]
    log(
        Event.TICK_STARTED,
        open_jobs=len(open_jobs),
        due_jobs=len(due),
        past_due=past_due,
        unfinished_since=None if unfinished_since == started else unfinished_since,
    )
    results, access_error, stopped = _check_or_send(checker, due, ends_at=started + budget)
    if not access_error:
        discover_jobs(checker, open_jobs, ends_at=started + budget)
    delete_old(checker, ends_at=started + budget)
    poison_messages, oldest_poison_at = _poison(checker)
    tick = Tick(
        started_at=started,
        ended_at=checker.clock(),
        open_jobs=len(open_jobs),
        due_jobs=len(due),
        **counts(results),
        handed_out=results.count(DueJobResult.IN_BATCH),
        oldest_due_at=due[0].due_at if due else None,
        poison_messages=poison_messages,
        oldest_poison_at=oldest_poison_at,
        oldest_remaining_at=_oldest_remaining(due, results),
        stopped=stopped,
    )
    checker.heartbeat.end(tick)
    log(Event.TICK_ENDED, **asdict(tick))
    if access_error:
        raise access_error
    return tick


def _check_or_send(
    checker: Checker, due: Sequence[OpenJob], *, ends_at: datetime
) -> tuple[list[DueJobResult], GemAccessError | None, str | None]:
    """The results, why GEM refused access, and why the work was not completed."""
    if not due:
        return [], None, None
    if checker.batches and checker.plan:
        return (
            send_batches(checker, checker.batches, checker.plan, due, ends_at=ends_at),
            None,
            None,
        )
    run = check_due(checker, due, ends_at=ends_at)
    if run is None:
        return [DueJobResult.REMAINING] * len(due), None, BUSY
    return run.results, run.access_error, str(run.access_error) if run.access_error else None


def _poison(checker: Checker) -> tuple[int | None, datetime | None]:
    """How many failed messages wait for an operator, and since when the oldest of them does.

    Both are None when storage does not answer.
    """
    messages, times = 0, []
    try:
        for queue in checker.poison:
            if count := queue.count():
                removed = remove_done(queue, checker.registry, checker.clock())
                messages += count - removed.count
                times += [removed.oldest_at] if removed.oldest_at else []
    except StoreError as error:
        log(Event.POISON_NOT_COUNTED, reason=str(error))
        return None, None
    return messages, min(times, default=None)


_PROBLEMS = {DueJobResult.PROBLEM, DueJobResult.NOT_ANSWERED, DueJobResult.UNREADABLE}


def _oldest_remaining(due: Sequence[OpenJob], results: Sequence[DueJobResult]) -> datetime | None:
    """Since when the oldest job is due that GEM answered last time and that must wait again."""
    left = (
        job.due_at
        for job, result in zip(due, results, strict=True)
        if result is DueJobResult.REMAINING and not job.has_failed
    )
    return min(left, default=None)


def counts(results: Sequence[DueJobResult]) -> dict[str, int]:
    """The number of jobs with each result; the names are those of `Tick`."""
    return {
        "checked": sum(each in {DueJobResult.ASKED, DueJobResult.SETTLED} for each in results),
        "settled": results.count(DueJobResult.SETTLED),
        "tickets_repeated": results.count(DueJobResult.TICKET_REPEATED),
        "problems": sum(each in _PROBLEMS for each in results),
        "not_answered": results.count(DueJobResult.NOT_ANSWERED),
        "unreadable": results.count(DueJobResult.UNREADABLE),
        "remaining": results.count(DueJobResult.REMAINING),
    }


def check_due(checker: Checker, due: Sequence[OpenJob], *, ends_at: datetime) -> "CheckRun | None":
    """Check due jobs, several at once; None when other runs hold all leases.

    Raises:
        StoreError: the leases could not be read or written.

    """
    lease = checker.limiter.acquire()
    if lease is None:
        return None
    try:
        store = checker.durations
        known = store.read() if store else Durations()
        run = CheckRun(checker, lease, known, ends_at=ends_at)
        run.run(due)
        if store:
            store.add(known, run.context.observed)
        return run
    finally:
        lease.release()


class CheckRun:
    """Checks due jobs while this run holds a lease of the rate limiter."""

    def __init__(
        self, checker: Checker, lease: Lease, known: Durations, *, ends_at: datetime
    ) -> None:
        self.context = RunContext(self._wait_to_ask, known)
        self._checker = checker
        self._lease = lease
        self._ends_at = ends_at
        self._stop = Flag()
        self.results: list[DueJobResult] = []
        """In the order of the jobs."""
        self._refused: tuple[str, GemAccessError] | None = None

    @property
    def access_error(self) -> GemAccessError | None:
        """The error with which GEM refused the key or the token; it ended the run."""
        return self._refused[1] if self._refused else None

    def run(self, due: Sequence[OpenJob]) -> None:
        """Check the jobs in this order; those whose last question failed have `turns`."""
        places = min(self._checker.places, len(due))
        turns = Turns(due, self._checker.places)
        found: dict[str, DueJobResult] = {}

        def one(job: OpenJob) -> None:
            found[job.job_run_id] = self._one(job)

        self._checker.each(lambda _: turns.run(one), range(places))
        self._decide(found)
        self.results = [found[job.job_run_id] for job in due]

    def _decide(self, found: dict[str, DueJobResult]) -> None:
        """What the refusals of this run mean, now that it is known."""
        for refusal in self.context.refusals.alone:
            job_run_id = refusal.claim.job_run_id
            found[job_run_id] = DueJobResult.NOT_ANSWERED
            try:
                store_refusal(self._checker, refusal)
            except StoreError as error:
                log(Event.JOB_CHECK_CRASHED, job_run_id=job_run_id, reason=str(error))
        for refusal in reversed(self.context.refusals.undecided):
            self._refused = refusal.claim.job_run_id, refusal.error
            found[refusal.claim.job_run_id] = DueJobResult.REMAINING
        if self._refused:
            job_run_id, reason = self._refused
            log(Event.TICK_STOPPED, job_run_id=job_run_id, reason=str(reason))

    def _wait_to_ask(self) -> bool:
        return self._lease.wait(self._ends_at) and not self._stop.is_set()

    def _one(self, job: OpenJob) -> DueJobResult:
        if self._stop.is_set() or self._checker.clock() >= self._ends_at:
            return DueJobResult.REMAINING
        try:
            return check_one(self._checker, job, self.context)
        except GemAccessError as error:
            self._refused = job.job_run_id, error
            self._stop.set()
            return DueJobResult.REMAINING
        except RecordConflict:
            log(Event.RECORD_CONFLICT, job_run_id=job.job_run_id)
        except Exception as error:  # noqa: BLE001 - a problem with one job never stops a tick
            # The message of a CourierError says what to do and holds no secret; others may.
            is_expected = isinstance(error, CourierError)
            log(
                Event.JOB_CHECK_CRASHED,
                traceback=not is_expected,
                job_run_id=job.job_run_id,
                reason=str(error) if is_expected else type(error).__name__,
            )
        return DueJobResult.PROBLEM
