"""Lists all jobs, page by page."""

from collections.abc import Mapping
from typing import Any

from gem_core.counts import read_count
from gem_core.errors import PageUnknown, RequestError
from gem_core.flows.manage_jobs import JobManager
from gem_core.moments import moment_text
from gem_core.watch.record import Stage

DEFAULT_PAGE = 100
MAX_PAGE = 1000
MAX_AFTER = 2048
"""Characters; a `nextPage` of Azure Storage is always shorter."""
_NOT_A_PAGE = "after must be the nextPage of an earlier answer"


def list_jobs(manager: JobManager, query: Mapping[str, str]) -> dict[str, Any]:
    """One page of all jobs, ordered by id.

    Args:
        manager: the dependencies.
        query: `stage` (shows only the jobs of this page that are in this stage), `limit` (jobs on
            the page, 1 to 1000, default 100), `after` (the `nextPage` of an earlier answer).

    Raises:
        RequestError: a value of the query is not valid.

    """
    stage, limit = _stage(query.get("stage")), _limit(query.get("limit"))
    try:
        page = manager.registry.page(stage=stage, size=limit, after=_after(query.get("after")))
    except PageUnknown:
        raise RequestError(_NOT_A_PAGE) from None
    return {
        "jobs": [
            {
                "jobRunId": job.job_run_id,
                "stage": job.stage,
                "status": job.status or None,
                "outcome": job.outcome or None,
                "changedAt": moment_text(job.changed_at),
            }
            for job in page.jobs
        ],
        "nextPage": page.next_page,
    }


def _stage(text: str | None) -> Stage | None:
    if not text:
        return None
    try:
        return Stage(text)
    except ValueError:
        raise RequestError(f"stage is {text[:40]!r}, not one of {', '.join(Stage)}") from None


def _after(text: str | None) -> str | None:
    """The place where the listing continues; Azure Storage makes it from printable ASCII."""
    if text and not (len(text) <= MAX_AFTER and text.isascii() and text.isprintable()):
        raise RequestError(_NOT_A_PAGE)
    return text or None


def _limit(text: str | None) -> int:
    if not text:
        return DEFAULT_PAGE
    try:
        return read_count(text, most=MAX_PAGE)
    except ValueError as error:
        raise RequestError(f"limit {error}") from None
