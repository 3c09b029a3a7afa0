"""What people do with a job: register, show, check, redeliver and forget it.

All results are plain JSON.
"""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from gem_core.deliver.outbox import Outbox
from gem_core.errors import GemJobNotFound, JobUnknown, RecordConflict, RequestError, StageForbids
from gem_core.flows.ask_gem import ask_gem
from gem_core.flows.ask_one import ask
from gem_core.flows.checker import Checker, Each, in_threads
from gem_core.flows.sweep import repeat_ticket
from gem_core.gem.job import JobStatus
from gem_core.logs import Event, log
from gem_core.settings.ncrontab import Schedule
from gem_core.settings.route import Route, route_of
from gem_core.watch.heartbeat import Heartbeat
from gem_core.watch.poison import Poison
from gem_core.watch.record import NOT_FOUND, JobRecord, Settlement, Stage
from gem_core.watch.record_json import record_to_json
from gem_core.watch.registration import parse_job_run_id, register, states_other_labels
from gem_core.watch.registry import JobRegistry, StoredRecord
from gem_core.watch.schedule import Policy

_SEVERAL = in_threads(10)
"""For each job, storage is asked a few times, one after the other."""


@dataclass(frozen=True, slots=True)
class JobManager:
    """The dependencies of managing jobs."""

    registry: JobRegistry
    outbox: Outbox
    heartbeat: Heartbeat
    policy: Policy
    """The operator's limits."""
    schedule: Schedule
    """When the timer runs, in UTC."""
    clock: Callable[[], datetime]
    routes: tuple[Route, ...]
    poison: Callable[[], tuple[Poison, ...]] = tuple
    """Makes the poison queues, which few of these tasks need."""
    each: Each = _SEVERAL
    """Calls a function for the jobs of one request."""


def register_job(manager: JobManager, job_run_id: str, body: object) -> tuple[bool, dict[str, Any]]:
    """Watch a job from now on. The record of a job that is registered already does not change.

    Returns:
        Whether the job is new, and its record; its `labelsDiffer` says whether the body has other
        labels than the record.

    Raises:
        RequestError: the id or the body is not valid.

    """
    record = register(job_run_id, body, manager.clock())
    if known := _taken_over(manager, record):
        if not known.record.times_checked and known.record.stage is Stage.WATCHING:
            # The process that registered the job may have died before it wrote the marker.
            manager.registry.mark_open(known.record)
        return False, _registered(known.record, body)
    added = manager.registry.add(record)
    if added is None:  # another process registered or discovered the job at the same time
        known = _taken_over(manager, record) or registered_job(manager, job_run_id)
        # Ours, if the answer to our write was lost and a tick has changed the record since.
        held = known.record
        is_ours = (held.registered_at, held.labels) == (record.registered_at, record.labels)
        return is_ours, _registered(held, body)
    log(Event.JOB_REGISTERED, job_run_id=record.job_run_id)
    return True, _registered(record, body)


def _registered(record: JobRecord, body: object) -> dict[str, Any]:
    return record_to_json(record) | {"labelsDiffer": states_other_labels(body, record.labels)}


def _taken_over(manager: JobManager, record: JobRecord) -> StoredRecord | None:
    """The record of a job that is registered already. A discovered job gets the registration's
    labels and expected input, whatever its stage.
    """
    known = manager.registry.get(record.job_run_id)
    while known and known.record.discovered:
        try:
            return manager.registry.replace(known, known.record.taken_over(record))
        except RecordConflict:
            known = manager.registry.get(record.job_run_id)
    return known


def registered_job(manager: JobManager, job_run_id: str) -> StoredRecord:
    """The stored record of a job.

    Raises:
        JobUnknown: the job is not registered.
        RequestError: the id is not valid.

    """
    stored = manager.registry.get(parse_job_run_id(job_run_id))
    if stored is None:
        raise JobUnknown(
            f"no job {job_run_id!r} is registered: PUT /api/jobs/{job_run_id}, or jobs register"
        )
    return stored


def show_job(manager: JobManager, job_run_id: str) -> dict[str, Any]:
    """The record of a job, with its history, GEM's last answer and the address of its report."""
    record = registered_job(manager, job_run_id).record
    id_ = record.manifest_id
    report = manager.outbox.report_url(record.job_run_id, id_) if id_ else None
    return record_to_json(record) | {"reportUrl": report}


def check_job(manager: JobManager, checker: Checker, job_run_id: str) -> dict[str, Any]:
    """Ask GEM about a job now, even if it is not due. A settled job does not change.

    Raises:
        JobUnknown: the job is not registered.
        GemAccessError: GEM refused the key or the token.
        GemError: the job has settled, and GEM did not answer about it.

    """
    stored = registered_job(manager, job_run_id)
    if stored.record.stage is Stage.WATCHING:
        ask(checker, stored)
        return show_job(manager, job_run_id)
    record = stored.record
    try:
        answered_in = record.job.contract if record.job else None
        job = ask_gem(checker.gem, job_run_id, answered_in, lambda: True)
    except GemJobNotFound:
        status, text = NOT_FOUND, NOT_FOUND
    else:
        status, text = job.status or "", job.status_text
    if _contradicts(record.settlement, status):
        log(
            Event.JOB_CHANGED_AFTER_SETTLEMENT,
            job_run_id=job_run_id,
            settlement=record.settlement,
            status=text[:80],
        )
    return record_to_json(record) | {"statusNow": text[:80]}


def _contradicts(settlement: Settlement | None, status: str) -> bool:
    """Whether GEM's present status ("not_found" for a 404) does not fit the job's settlement."""
    if settlement is Settlement.EXPIRED:
        return status in set(JobStatus) and JobStatus(status).is_final
    return status != (NOT_FOUND if settlement is Settlement.LOST else settlement)


def redeliver_job(manager: JobManager, job_run_id: str, route: str | None = None) -> dict[str, Any]:
    """Deliver a settled job again, from its output as it is now; with a route see `send_again`.

    Raises:
        JobUnknown: the job is not registered.
        StageForbids: the job has not settled yet.

    """
    if route is not None:
        return send_again(manager, job_run_id, route)
    stored = _settled_job(manager, job_run_id)
    requested = stored.record.to_redeliver(manager.clock())
    repeat_ticket(manager, StoredRecord(requested, stored.etag))
    return show_job(manager, job_run_id)


def send_again(manager: JobManager, job_run_id: str, route: str) -> dict[str, Any]:
    """Send the last manifest of a job to one route again, or at once if that has failed.

    Raises:
        JobUnknown: the job is not registered.
        RequestError: there is no such route, or it takes no manifests.
        StageForbids: the job has not settled, or no manifest of the delivery was sent yet.

    """
    name = manifest_route(manager, route)
    stored = _settled_job(manager, job_run_id)
    record = stored.record
    if record.stage is not Stage.DELIVERED and not record.attempts.pending:
        raise StageForbids(
            "the manifest of the present delivery was not sent to any route yet: redeliver without "
            "a route tries at once"
        )
    requested = record.to_send_again(name, manager.clock())
    repeat_ticket(manager, StoredRecord(requested, stored.etag))
    return show_job(manager, job_run_id)


def manifest_route(manager: JobManager, route: str) -> str:
    """The name of a route that takes manifests. Raises RequestError for any other name."""
    found = route_of(manager.routes, route)
    if not found.takes_manifests:
        raise RequestError(f"the route {found.name} takes no manifests: see its types")
    return found.name


def _settled_job(manager: JobManager, job_run_id: str) -> StoredRecord:
    stored = registered_job(manager, job_run_id)
    if stored.record.stage is Stage.WATCHING:
        raise StageForbids("the job is still being watched: there is nothing to deliver yet")
    return stored


def drop_route(manager: JobManager, job_run_id: str, route: str) -> dict[str, Any]:
    """Stop trying to send the manifest of a job to a route that fails.

    Raises:
        JobUnknown: the job is not registered.
        RequestError: the job does not wait for this route.

    """
    stored = registered_job(manager, job_run_id)
    waits_for = stored.record.attempts.pending
    if route not in waits_for:
        raise RequestError(
            f"the job does not wait for a route {route[:63]!r}: it waits for "
            f"{', '.join(waits_for) or 'none'}"
        )
    manager.registry.replace(stored, stored.record.without_route(route, manager.clock()))
    log(Event.ROUTE_DROPPED, job_run_id=job_run_id, route=route)
    return show_job(manager, job_run_id)


def forget_job(manager: JobManager, job_run_id: str) -> None:
    """Delete a job's record and manifests; its reports stay. Also accepts an unknown job."""
    parse_job_run_id(job_run_id)
    manager.registry.remove(job_run_id)
    manager.outbox.forget(job_run_id)
    log(Event.JOB_FORGOTTEN, job_run_id=job_run_id)
