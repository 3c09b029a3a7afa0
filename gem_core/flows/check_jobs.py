"""The story of a tick: ask GEM about every due job, settle those that have ended, and raise the
tickets of settled jobs again whose report is overdue. Edges come in as arguments.
"""

from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from threading import Event as Flag
from typing import Protocol

from gem_core.errors import (
    GemAccessError,
    GemAnswerError,
    GemError,
    GemJobNotFound,
    GemUnavailable,
    RecordConflict,
    RecordUnreadable,
    StoreError,
)
from gem_core.flows.sweep import repeat_ticket
from gem_core.gem.job import GemJob
from gem_core.logs import Event, log
from gem_core.watch.heartbeat import Heartbeat, Tick
from gem_core.watch.pace import Pace
from gem_core.watch.record import JobRecord, Stage
from gem_core.watch.registry import ORPHAN_AGE, JobRegistry, OpenJob, StoredRecord
from gem_core.watch.schedule import Policy, next_check, next_ticket, settlement

TICK_BUDGET = timedelta(minutes=4)
"""A tick starts no further question after this; far below the function timeout in host.json."""


class Gem(Protocol):
    """What a tick needs of GEM."""

    def get_job(self, job_run_id: str) -> GemJob:
        """What GEM says of one job now; raises GemError."""
        ...


class PoisonCount(Protocol):
    """A queue of messages that failed too often."""

    def count(self) -> int:
        """How many messages are on it, about. Raises StoreError."""
        ...


class Done(StrEnum):
    """What came of one due job."""

    ASKED = "asked"
    SETTLED = "settled"
    TICKET_REPEATED = "ticket_repeated"
    PROBLEM = "problem"
    LEFT = "left"
    """To the next tick."""
    NOTHING = "nothing"


type Each = Callable[[Callable[[OpenJob], Done], Iterable[OpenJob]], list[Done]]
"""Does something about every job, in this order, several at once; gives what came of each."""


def in_threads(concurrency: int) -> Each:
    """So many jobs at once, each in a thread."""

    def each(do: Callable[[OpenJob], Done], jobs: Iterable[OpenJob]) -> list[Done]:
        with ThreadPoolExecutor(concurrency, "check") as pool:
            return list(pool.map(do, jobs))

    return each


@dataclass(frozen=True, slots=True)
class Checker:
    """All that it takes to check jobs."""

    registry: JobRegistry
    heartbeat: Heartbeat
    gem: Gem
    policy: Policy
    pace: Pace
    clock: Callable[[], datetime]
    jitter: Callable[[], float]
    """0 up to 1."""
    each: Each
    poison: tuple[PoisonCount, ...] = ()
    """The queues of failed messages that a tick counts."""


def check_jobs(checker: Checker, *, past_due: bool = False) -> Tick:
    """One tick: every due job once, the oldest due first, within the time budget.

    One bad job never stops a tick. A refused key or token does, since every job would fail alike:
    what the tick did is kept in the heartbeat, then the refusal is raised.

    Raises:
        GemAccessError: GEM refused key or token.
        StoreError: the worklist could not be read.

    """
    started = checker.clock()
    checker.heartbeat.beat(Tick(started))
    open_jobs = sorted(checker.registry.open_jobs(), key=lambda job: job.due_at)
    due = [job for job in open_jobs if job.due_at <= started]
    log(Event.TICK_STARTED, open_jobs=len(open_jobs), due_jobs=len(due), past_due=past_due)
    round_ = _Round(checker, ends_at=started + TICK_BUDGET)
    done = round_.run(due)
    tick = Tick(
        started_at=started,
        ended_at=checker.clock(),
        open_jobs=len(open_jobs),
        due_jobs=len(due),
        asked=sum(each in {Done.ASKED, Done.SETTLED} for each in done),
        settled=done.count(Done.SETTLED),
        tickets_repeated=done.count(Done.TICKET_REPEATED),
        problems=done.count(Done.PROBLEM),
        left=done.count(Done.LEFT),
        oldest_due_at=due[0].due_at if due else None,
        poison_messages=_poison_messages(checker),
        stopped=str(round_.refusal) if round_.refusal else None,
    )
    checker.heartbeat.beat(tick)
    log(Event.TICK_ENDED, **tick.to_json())
    if round_.refusal:
        log(Event.TICK_STOPPED, reason=str(round_.refusal))
        raise round_.refusal
    return tick


def _poison_messages(checker: Checker) -> int | None:
    """How many failed messages wait for an operator; None when nobody can tell now."""
    try:
        return sum(queue.count() for queue in checker.poison)
    except StoreError as error:
        log(Event.POISON_NOT_COUNTED, reason=str(error))
        return None


class _Round:
    """The due jobs of one tick, several at once."""

    def __init__(self, checker: Checker, *, ends_at: datetime) -> None:
        self._checker = checker
        self._ends_at = ends_at
        self._stop = Flag()
        self.refusal: GemAccessError | None = None

    def run(self, due: Iterable[OpenJob]) -> list[Done]:
        return self._checker.each(self._one, due)

    def _one(self, job: OpenJob) -> Done:
        if self._stop.is_set() or self._checker.clock() >= self._ends_at:
            return Done.LEFT
        try:
            return look_at(self._checker, job)
        except GemAccessError as error:
            self.refusal = error
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
            log(
                Event.JOB_CHECK_CRASHED,
                traceback=True,
                job_run_id=job.job_run_id,
                reason=type(error).__name__,
            )
        return Done.PROBLEM


def look_at(checker: Checker, job: OpenJob) -> Done:
    """Do what is due about one job of the worklist.

    Raises:
        GemAccessError: GEM refused key or token.
        StoreError: the record could not be read or written, or another writer was first.

    """
    now = checker.clock()
    stored = checker.registry.get(job.job_run_id)
    if stored is None:
        if now - job.marked_at > ORPHAN_AGE:
            checker.registry.unmark(job.job_run_id, etag=job.etag)
        return Done.NOTHING
    record = stored.record
    if record.stage is Stage.REPORTED:
        checker.registry.unmark(job.job_run_id, etag=job.etag)
        return Done.NOTHING
    if record.due_at > now:
        checker.registry.mark_open(record)
        return Done.NOTHING
    if record.stage is Stage.SETTLED:
        repeat_ticket(checker, stored)
        return Done.TICKET_REPEATED
    return ask(checker, stored)


def ask(checker: Checker, stored: StoredRecord) -> Done:
    """Ask GEM about a job that is being watched; keep the answer, and settle it if it has ended.

    Raises:
        GemAccessError: GEM refused key or token; the record is as it was.
        StoreError: the record could not be written, or another writer was first.

    """
    record, retry_after = _question(checker, stored.record)
    now = checker.clock()
    # A failed request says nothing about the job, so nothing is concluded from it.
    ended = None if record.failures else settlement(record, now, checker.policy)
    if ended:
        record = record.settled(ended, now).ticketed()
        record = record.due(next_ticket(record, now, checker.policy))
        checker.registry.replace(stored, record)
        log(
            Event.JOB_SETTLED,
            job_run_id=record.job_run_id,
            settlement=ended,
            checks=record.checks,
        )
        checker.registry.raise_ticket(record)
        return Done.SETTLED
    due_at = next_check(
        record, now, checker.policy, jitter=checker.jitter(), retry_after=retry_after
    )
    checker.registry.replace(stored, record.due(due_at))
    return Done.PROBLEM if record.failures else Done.ASKED


def _question(checker: Checker, record: JobRecord) -> tuple[JobRecord, timedelta]:
    """The record after one question to GEM, and how long GEM wants to be left alone."""
    checker.pace.wait()
    job_run_id = record.job_run_id
    try:
        job = checker.gem.get_job(job_run_id)
    except GemAccessError:
        raise
    except GemJobNotFound:
        record = record.answered_not_found(checker.clock())
        log(Event.JOB_NOT_FOUND, job_run_id=job_run_id, times=record.not_found)
        return record, timedelta(0)
    except GemError as error:
        if isinstance(error, GemAnswerError):
            log(Event.JOB_DRIFTED, job_run_id=job_run_id, drift=[str(error)])
        record = record.not_answered(str(error), checker.clock())
        log(
            Event.JOB_NOT_ANSWERED,
            job_run_id=job_run_id,
            failures=record.failures,
            problem=str(error),
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
