"""Adds to listed jobs what only their records say: labels and progress."""

from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from gem_core.errors import RecordUnreadable
from gem_core.flows.manage_jobs import JobManager

_READERS = 16
"""Records that are read at the same time."""


def with_details(
    manager: JobManager,
    jobs: Sequence[dict[str, Any]],
    on_read: Callable[[int, int], None] = lambda _done, _of: None,
) -> list[dict[str, Any]]:
    """The jobs of a listing, each with `labels`, and with GEM's last `progress` in percent.

    Both are null for a job that was forgotten meanwhile, or whose record cannot be read.

    Args:
        manager: the dependencies.
        jobs: as `list_jobs` gives them. One record is read for each.
        on_read: called after each record with the number of records read and the total number.

    """

    def detailed(job: dict[str, Any]) -> dict[str, Any]:
        try:
            stored = manager.registry.get(job["jobRunId"])
        except RecordUnreadable:
            stored = None
        if stored is None:
            return job | {"labels": None, "progress": None}
        answered = stored.record.job
        return job | {
            "labels": dict(stored.record.labels),
            "progress": answered.progress if answered else None,
        }

    found = []
    with ThreadPoolExecutor(_READERS, "read") as pool:
        for done, job in enumerate(pool.map(detailed, jobs), 1):
            found.append(job)
            on_read(done, len(jobs))
    return found
