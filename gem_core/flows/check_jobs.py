"""The story of a tick: every due job once, the oldest due first, within a time budget; or, where
many jobs are watched, the due jobs handed out in batches. Edges come in as arguments.
"""

from collections.abc import Iterable, Sequence
from dataclasses import asdict
from datetime import datetime, timedelta
from threading import Event as Flag

from gem_core.errors import (
    CourierError,
    GemAccessError,
    RecordConflict,
    RecordUnreadable,
    StoreError,
)
from gem_core.flows.check_one import Common, Done, look_at
from gem_core.flows.checker import Checker
from gem_core.flows.hand_out import hand_out
from gem_core.logs import Event, log
from gem_core.watch.durations import Durations
from gem_core.watch.heartbeat import Tick
from gem_core.watch.rate_limiter import Lease
from gem_core.watch.registry import OpenJob

TICK_BUDGET = timedelta(minutes=4)
"""A tick starts no further question after this; far below the function timeout in host.json."""
BUSY = "other runs hold all leases of the rate limiter"


def check_jobs(checker: Checker, *, past_due: bool = False) -> Tick:
    """One tick.

    One bad job never stops a tick. A refused key or token does, since every job would fail alike:
    what the tick did is kept in the heartbeat, then the refusal is raised.

    Raises:
        GemAccessError: GEM refused key or token.
        StoreError: worklist, leases or the queue of batches could not be used.

    """
    started = checker.clock()
    checker.heartbeat.start(started)
    open_jobs = sorted(checker.registry.open_jobs(), key=lambda job: job.due_at)
    due = [job for job in open_jobs if job.due_at <= started]
    log(Event.TICK_STARTED, open_jobs=len(open_jobs), due_jobs=len(due), past_due=past_due)
    done: list[Done] = []
    stopped, refusal = None, None
    ends_at = started + TICK_BUDGET
    if due and checker.batches and checker.plan:
        done = hand_out(checker, checker.batches, checker.plan, due, ends_at=ends_at)
    elif due:
        round_ = run_round(checker, due, ends_at=ends_at)
        done = round_.done if round_ else [Done.LEFT] * len(due)
        refusal = round_.refusal if round_ else None
        stopped = str(refusal) if refusal else None if round_ else BUSY
    tick = Tick(
        started_at=started,
        ended_at=checker.clock(),
        open_jobs=len(open_jobs),
        due_jobs=len(due),
        **counts(done),
        handed_out=done.count(Done.HANDED_OUT),
        oldest_due_at=due[0].due_at if due else None,
        poison_messages=_poison_messages(checker),
        stopped=stopped,
    )
    checker.heartbeat.end(tick)
    log(Event.TICK_ENDED, **asdict(tick))
    if refusal:
        raise refusal
    return tick


def _poison_messages(checker: Checker) -> int | None:
    """How many failed messages wait for an operator; None when nobody can tell now."""
    try:
        return sum(queue.count() for queue in checker.poison)
    except StoreError as error:
        log(Event.POISON_NOT_COUNTED, reason=str(error))
        return None


def counts(done: Sequence[Done]) -> dict[str, int]:
    """What came of several jobs, by the names of a `Tick`."""
    return {
        "checked": sum(each in {Done.ASKED, Done.SETTLED} for each in done),
        "settled": done.count(Done.SETTLED),
        "tickets_repeated": done.count(Done.TICKET_REPEATED),
        "problems": done.count(Done.PROBLEM),
        "remaining": done.count(Done.LEFT),
    }


def run_round(checker: Checker, due: Iterable[OpenJob], *, ends_at: datetime) -> "Round | None":
    """Look at due jobs, several at once; None when other runs hold all leases.

    Raises:
        StoreError: the leases could not be read or written.

    """
    lease = checker.limiter.acquire()
    if lease is None:
        return None
    try:
        book = checker.durations
        known = book.read() if book else Durations()
        round_ = Round(checker, lease, known, ends_at=ends_at)
        round_.run(due)
        if book:
            book.learn(known, round_.common.learned)
        return round_
    finally:
        lease.release()


class Round:
    """Due jobs that one run looks at."""

    def __init__(
        self, checker: Checker, lease: Lease, known: Durations, *, ends_at: datetime
    ) -> None:
        self.common = Common(self._may_ask, known)
        self._checker = checker
        self._lease = lease
        self._ends_at = ends_at
        self._stop = Flag()
        self.done: list[Done] = []
        self._refused: tuple[str, GemAccessError] | None = None

    @property
    def refusal(self) -> GemAccessError | None:
        """Why GEM was asked nothing more, if it refused key or token."""
        return self._refused[1] if self._refused else None

    def run(self, due: Iterable[OpenJob]) -> None:
        """Look at them, in their order."""
        self.done = self._checker.each(self._one, due)
        if self._refused:
            job_run_id, error = self._refused
            log(Event.TICK_STOPPED, job_run_id=job_run_id, reason=str(error))

    def _may_ask(self) -> bool:
        return self._lease.wait(self._ends_at) and not self._stop.is_set()

    def _one(self, job: OpenJob) -> Done:
        if self._stop.is_set() or self._checker.clock() >= self._ends_at:
            return Done.LEFT
        try:
            return look_at(self._checker, job, self.common)
        except GemAccessError as error:
            self._refused = job.job_run_id, error
            self._stop.set()
            return Done.LEFT
        except RecordConflict:
            log(Event.RECORD_CONFLICT, job_run_id=job.job_run_id)
        except RecordUnreadable as error:
            log(
                Event.RECORD_UNREADABLE,
                job_run_id=job.job_run_id,
                reason=str(error),
            )
        except Exception as error:  # noqa: BLE001 - one bad job never stops a tick
            # The words of ours say what to do, and hold no secret.
            is_ours = isinstance(error, CourierError)
            log(
                Event.JOB_CHECK_CRASHED,
                traceback=not is_ours,
                job_run_id=job.job_run_id,
                reason=str(error) if is_ours else type(error).__name__,
            )
        return Done.PROBLEM
