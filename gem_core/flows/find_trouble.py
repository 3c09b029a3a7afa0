"""Finds the open jobs that need attention."""

from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from typing import Any

from gem_core.errors import RecordUnreadable
from gem_core.flows.manage_jobs import JobManager
from gem_core.moments import optional_moment_text
from gem_core.watch.marker import JobState, OpenJob
from gem_core.watch.poison import PoisonMessage, job_of_message
from gem_core.watch.trouble import OVERDUE_AFTER, Trouble, TroubleKind, trouble

_READERS = 10
"""Records that are read at the same time."""


def find_trouble(
    manager: JobManager, *, on_read: Callable[[int, int], None] = lambda _done, _of: None
) -> list[dict[str, Any]]:
    """The open jobs that need attention, the oldest problem first.

    Reads the worklist and the first messages of the poison queues. Reads the records of open jobs
    that are late, or whose marker does not say that they are fine.

    Args:
        manager: the dependencies.
        on_read: called after each record with the number of records read and the total number.

    Raises:
        StoreError: the worklist, a record or a poison queue could not be read.

    """
    now = manager.clock()
    poison = _poison(manager)
    open_jobs = [job for job in manager.registry.open_jobs() if _may_have_trouble(job, now)]
    found = []
    with ThreadPoolExecutor(_READERS, "read") as pool:
        results = pool.map(lambda job: _find(manager, job, now, poison), open_jobs)
        for done, result in enumerate(results, 1):
            on_read(done, len(open_jobs))
            if result:
                found.append(result)
    never = datetime.min.replace(tzinfo=UTC)
    return [_to_json(*each) for each in sorted(found, key=lambda each: each[2].since or never)]


def _may_have_trouble(job: OpenJob, now: datetime) -> bool:
    """Whether the record must be read. A marker of an older version says no state."""
    return job.state is not JobState.FINE or now - job.due_at > OVERDUE_AFTER


def _poison(manager: JobManager) -> Mapping[str, PoisonMessage]:
    """The first message of each job on the poison queues."""
    found: dict[str, PoisonMessage] = {}
    for queue in manager.poison():
        for message in queue.peek():
            if job_run_id := job_of_message(message.text):
                found.setdefault(job_run_id, message)
    return found


def _find(
    manager: JobManager, job: OpenJob, now: datetime, poison: Mapping[str, PoisonMessage]
) -> tuple[str, str | None, Trouble] | None:
    """The id and stage of a job, and its problem; None when it has none."""
    try:
        stored = manager.registry.get(job.job_run_id)
    except RecordUnreadable as error:
        return job.job_run_id, None, Trouble(TroubleKind.UNREADABLE, None, str(error))
    found = trouble(stored.record, now, poison.get(job.job_run_id)) if stored else None
    return (job.job_run_id, stored.record.stage, found) if stored and found else None


def _to_json(job_run_id: str, stage: str | None, found: Trouble) -> dict[str, Any]:
    return {
        "jobRunId": job_run_id,
        "stage": stage,
        "trouble": found.kind,
        "since": optional_moment_text(found.since),
        "problem": found.problem,
    }
