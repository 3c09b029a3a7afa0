"""The story of an incident's first question: which open jobs need somebody's eyes? Edges come in as
arguments.
"""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from typing import Any

from gem_core.errors import RecordUnreadable
from gem_core.flows.manage_jobs import JobManager
from gem_core.moments import optional_moment_text
from gem_core.watch.registry import OpenJob
from gem_core.watch.trouble import Trouble, TroubleKind, trouble

_READERS = 10
"""Records read at once."""


def find_trouble(
    manager: JobManager, *, on_read: Callable[[int, int], None] = lambda _done, _of: None
) -> list[dict[str, Any]]:
    """Every open job with trouble, the oldest trouble first.

    Reads the record of each open job, so it costs by open jobs and not by history.

    Args:
        manager: the edges.
        on_read: told how many records of how many were read.

    """
    now = manager.clock()
    open_jobs = list(manager.registry.open_jobs())
    found = []
    with ThreadPoolExecutor(_READERS, "read") as pool:
        for done, line in enumerate(pool.map(lambda job: _line(manager, job, now), open_jobs), 1):
            on_read(done, len(open_jobs))
            if line:
                found.append(line)
    never = datetime.min.replace(tzinfo=UTC)
    return [_shown(*line) for line in sorted(found, key=lambda line: line[2].since or never)]


def _line(
    manager: JobManager, job: OpenJob, now: datetime
) -> tuple[str, str | None, Trouble] | None:
    try:
        stored = manager.registry.get(job.job_run_id)
    except RecordUnreadable as error:
        return job.job_run_id, None, Trouble(TroubleKind.UNREADABLE, None, str(error))
    found = trouble(stored.record, now) if stored else None
    return (job.job_run_id, stored.record.stage, found) if stored and found else None


def _shown(job_run_id: str, stage: str | None, found: Trouble) -> dict[str, Any]:
    return {
        "jobRunId": job_run_id,
        "stage": stage,
        "trouble": found.kind,
        "since": optional_moment_text(found.since),
        "problem": found.problem,
    }
