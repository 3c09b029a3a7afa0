"""Registers or redelivers many jobs with one request. Each job has a result of its own.

A failure of storage ends the request. Then it is unknown which jobs were done, and the same request
can be repeated: what was done already does not change.
"""

from collections.abc import Callable, Sequence
from functools import partial
from threading import Event as Flag
from typing import Any

from gem_core.errors import PageUnknown, RecordConflict, RecordUnreadable, RequestError
from gem_core.flows.job_query import NOT_A_PAGE, Sort, read_job_query
from gem_core.flows.list_jobs import find_jobs
from gem_core.flows.manage_jobs import JobManager, manifest_route, redeliver_job, register_job
from gem_core.watch.record import Stage
from gem_core.watch.registration import MEMBERS, refuse_unknown_members

MAX_JOBS = 100
"""Jobs of one request."""
SELECTION = frozenset({"outcome", "label", "changedAfter", "changedBefore", "after"})
"""The members of the body that says which jobs are redelivered."""
REQUIRED = frozenset({"outcome", "changedBefore"})
"""Those that it must have."""


def register_jobs(manager: JobManager, body: object) -> dict[str, Any]:
    """Register up to 100 jobs.

    Args:
        manager: the dependencies.
        body: an object with `jobs`, an array. Each of its objects has `jobRunId`, and the members
            of a registration.

    Returns:
        `jobs` with a result for each one, in the same order. `registered`. `known`: it did not
        change; `labelsDiffer` says whether it has other labels. `not_done`: the id or another
        member is not valid. `failed`: its stored record cannot be read. `detail` is the reason of
        the last two.

    Raises:
        RequestError: the body has another form, or too many jobs. No job was registered.
        StoreError: storage failed.

    """
    if not isinstance(body, dict) or not isinstance(body.get("jobs"), list):
        raise RequestError("the body must be a JSON object with jobs, an array of objects")
    refuse_unknown_members(body, {"jobs"})
    if len(body["jobs"]) > MAX_JOBS:
        raise RequestError(f"jobs has {len(body['jobs']):,} jobs; at most {MAX_JOBS} are allowed")
    return {"jobs": _each(manager, partial(_registered, manager), body["jobs"], _id_of)}


def _id_of(job: object) -> str | None:
    job_run_id = job.get("jobRunId") if isinstance(job, dict) else None
    return job_run_id if isinstance(job_run_id, str) else None


def _registered(manager: JobManager, job: object) -> dict[str, Any]:
    job_run_id = _id_of(job)

    def action() -> dict[str, Any]:
        if not isinstance(job, dict) or job_run_id is None:
            raise RequestError("a job must be a JSON object with jobRunId, a string")
        refuse_unknown_members(job, MEMBERS | {"jobRunId"})
        registration = {name: job[name] for name in job if name != "jobRunId"}
        is_new, record = register_job(manager, job_run_id, registration)
        result = "registered" if is_new else "known"
        return {"result": result, "labelsDiffer": record["labelsDiffer"]}

    return _result(job_run_id and job_run_id[:128], action)


def redeliver_jobs(manager: JobManager, body: object, route: str | None = None) -> dict[str, Any]:
    """Deliver up to 100 delivered jobs again, each from its output as it is now.

    With a route, send the last manifest of each job to this route only; nothing is audited.

    A job is selected by its last manifest, and by when its record was last written. A redelivery
    writes the record. So a request that is repeated with the same `changedBefore` leaves out what
    it has done already.

    Args:
        manager: the dependencies.
        body: an object with `outcome` and `changedBefore`; optional are `changedAfter`, `label` and
            `after`. They mean the same as in the query of the list of jobs.
        route: the name of a route; None is a whole delivery.

    Returns:
        `jobs` with a result for each one. `redelivered`. `not_done`: the job has changed meanwhile.
        `failed`: its stored record cannot be read. `detail` is the reason of the last two.
        `nextPage`: the `after` of the next request; None when there are no more jobs.

    Raises:
        RequestError: the body is not valid, or there is no such route. No job was redelivered.
        StoreError: storage failed.

    """
    if not isinstance(body, dict) or REQUIRED - body.keys():
        raise RequestError(
            "the body must be a JSON object with outcome and changedBefore, such as "
            '{"outcome": "not_audited", "changedBefore": "2026-01-20T10:00:00Z"}'
        )
    refuse_unknown_members(body, SELECTION)
    for name, value in body.items():
        if not isinstance(value, str) or not value:
            raise RequestError(f"{name} must be a string that is not empty")
    if route is not None:
        manifest_route(manager, route)
    selection = {"stage": Stage.DELIVERED, "sort": Sort.ID, "limit": str(MAX_JOBS)}
    try:
        jobs, next_page = find_jobs(manager, read_job_query({**body, **selection}))
    except PageUnknown:
        raise RequestError(NOT_A_PAGE) from None

    def redelivered(job_run_id: str) -> dict[str, Any]:
        redeliver_job(manager, job_run_id, route)
        return {"result": "redelivered"}

    def one(job_run_id: str) -> dict[str, Any]:
        return _result(job_run_id, partial(redelivered, job_run_id))

    ids = [job.job_run_id for job in jobs]
    return {"jobs": _each(manager, one, ids, str), "nextPage": next_page}


def _each[T](
    manager: JobManager,
    do: Callable[[T], dict[str, Any]],
    items: Sequence[T],
    id_of: Callable[[T], str | None],
) -> list[dict[str, Any]]:
    """The results in the order of the items. Several jobs are done at the same time; items of one
    job are done in their order.

    Raises:
        StoreError: storage failed. No further item was begun after that.

    """
    places: dict[str | None, list[int]] = {}
    for place, item in enumerate(items):
        places.setdefault(id_of(item), []).append(place)
    has_failed = Flag()
    found: dict[int, dict[str, Any]] = {}

    def one_job(of_job: list[int]) -> None:
        for place in of_job:
            if has_failed.is_set():
                return
            try:
                found[place] = do(items[place])
            except BaseException:
                has_failed.set()
                raise

    manager.each(one_job, places.values())
    return [found[place] for place in range(len(items))]


def _result(job_run_id: str | None, action: Callable[[], dict[str, Any]]) -> dict[str, Any]:
    """The result of an action. An error that concerns one job does not stop the others."""
    try:
        return {"jobRunId": job_run_id, **action(), "detail": None}
    except (RequestError, RecordConflict) as error:
        return {"jobRunId": job_run_id, "result": "not_done", "detail": str(error)}
    except RecordUnreadable as error:
        return {"jobRunId": job_run_id, "result": "failed", "detail": str(error)}
