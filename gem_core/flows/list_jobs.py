"""Lists all jobs, page by page.

A page has fewer jobs than the limit in two cases only: the listing ends, or the request has looked
at `MAX_LISTED` jobs or read `MAX_READ` records. Then `nextPage` says where the search goes on. Such
a page still has a job, unless `SEARCH_TIME` has passed without one.
"""

from collections.abc import Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import batched
from typing import Any

from gem_core.errors import PageUnknown, RecordUnreadable, RequestError
from gem_core.flows.job_query import MAX_PAGE, NOT_A_PAGE, JobQuery, Sort, read_job_query
from gem_core.flows.manage_jobs import JobManager
from gem_core.moments import moment_text, read_moment
from gem_core.watch.listed_jobs import ListedJob
from gem_core.watch.registry import JobRegistry, record_name

MAX_LISTED = 100_000
MAX_READ = 2_000
SEARCH_TIME = timedelta(seconds=60)
"""How long a request searches for the first job of its page. Many HTTP clients give up after 100
seconds, and Azure's load balancer after 230."""
_READERS = 10
"""Records that are read at the same time."""
_READ_TOGETHER = 200
"""Records that are read before the listing looks whether the page is full."""


@dataclass(frozen=True, slots=True)
class _Place:
    """A job, and where a listing continues after it; None after the last job."""

    job: ListedJob
    next_page: str | None


type _Places = list[_Place]


def list_jobs(manager: JobManager, query: Mapping[str, str]) -> dict[str, Any]:
    """One page of all jobs.

    Args:
        manager: the dependencies.
        query: `stage`, `outcome`, `label` (NAME:VALUE), `changedAfter` and `changedBefore` (moments
            with a zone) select jobs. `sort` is `id` (the default) or `-changedAt`. `limit` is the
            number of jobs on the page (1 to 1000, default 100). `after` is the `nextPage` of an
            earlier answer.

    Raises:
        RequestError: a value of the query is not valid.

    """
    try:
        jobs, next_page = find_jobs(manager, read_job_query(query))
    except PageUnknown:
        raise RequestError(NOT_A_PAGE) from None
    return {
        "jobs": [
            {
                "jobRunId": job.job_run_id,
                "stage": job.stage,
                "status": job.status or None,
                "outcome": job.outcome or None,
                "changedAt": moment_text(job.changed_at),
            }
            for job in jobs
        ],
        "nextPage": next_page,
    }


def find_jobs(manager: JobManager, query: JobQuery) -> tuple[list[ListedJob], str | None]:
    """The jobs of one page, and where the listing continues; None after the last job.

    Raises:
        PageUnknown: `after` is not from an earlier answer.

    """
    search_ends_at = manager.clock() + SEARCH_TIME
    found: _Places = []
    listed = read = 0
    in_order = _by_id if query.sort is Sort.ID else _newest_first
    for places in in_order(manager.registry, query):
        candidates = [place for place in places if query.may_include(place.job)]
        for place in _with_label(manager, query.label, candidates):
            if len(found) == query.limit:  # there is one more, so the next page is not empty
                return _jobs(found), found[-1].next_page
            found.append(place)
        listed += len(places)
        read += len(candidates) if query.label else 0
        is_long = listed >= MAX_LISTED or read >= MAX_READ
        if places and is_long and (found or manager.clock() >= search_ends_at):
            return _jobs(found), places[-1].next_page
    return _jobs(found), None


def _jobs(places: _Places) -> list[ListedJob]:
    return [place.job for place in places]


def _by_id(registry: JobRegistry, query: JobQuery) -> Iterator[_Places]:
    """The jobs by id, in parts. Storage continues only where one of its pages began or ended. So
    the place of a job is its id and, after a colon, where its page began.
    """
    last, colon, began = (query.after or "").partition(":")
    if not colon:  # an older version gave the end of a page
        last, began = "", last
    size = _READ_TOGETHER if query.label else MAX_PAGE if query.is_filtered else query.limit
    while True:
        page = registry.page(size=size, after=began or None)
        jobs = [
            job for job in page.jobs if not last or record_name(job.job_run_id) > record_name(last)
        ]
        places = [_Place(job, f"{job.job_run_id}:{began}") for job in jobs]
        if jobs:
            places[-1] = _Place(jobs[-1], page.next_page and f":{page.next_page}")
        yield places
        if not page.next_page:
            return
        last, began = "", page.next_page


def _newest_first(registry: JobRegistry, query: JobQuery) -> Iterator[_Places]:
    """The jobs whose records were written last, in parts. All jobs are listed for each `count`."""
    count = MAX_READ if query.label else query.limit + 1
    before = _change(query.after) if query.after else None

    def is_wanted(job: ListedJob) -> bool:
        return query.may_include(job) and (before is None or job.change < before)

    while jobs := registry.newest(count, is_wanted):
        for some in batched(jobs, _READ_TOGETHER, strict=False):
            yield [_Place(job, f"{moment_text(job.changed_at)}:{job.job_run_id}") for job in some]
        if len(jobs) < count:
            return
        before = jobs[-1].change


def _change(place: str) -> tuple[datetime, str]:
    moment, _, job_run_id = place.rpartition(":")
    try:
        return read_moment(moment), job_run_id
    except ValueError:
        raise PageUnknown("no such page") from None


def _with_label(manager: JobManager, label: str | None, places: _Places) -> _Places:
    """Those that have the label, as their records say. An unreadable record is left out."""
    if label is None or not places:
        return places

    def has_label(place: _Place) -> bool:
        try:
            stored = manager.registry.get(place.job.job_run_id)
        except RecordUnreadable:
            return False
        labels = stored.record.labels.items() if stored else ()
        return label in {f"{name}:{value}" for name, value in labels}

    with ThreadPoolExecutor(_READERS, "read") as pool:
        matches = pool.map(has_label, places)
        return [place for place, matched in zip(places, matches, strict=True) if matched]
