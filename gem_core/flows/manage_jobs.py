"""The stories behind the HTTP routes: register, list, show, check, redeliver and forget a job; tell
whether the timer lives. Edges come in as arguments; answers are plain JSON.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any

from gem_core.counts import read_count
from gem_core.deliver.outbox import Outbox
from gem_core.errors import GemJobNotFound, JobUnknown, PageUnknown, RequestError
from gem_core.flows.check_jobs import TICK_BUDGET
from gem_core.flows.check_one import ask
from gem_core.flows.checker import Checker
from gem_core.flows.sweep import repeat_ticket
from gem_core.gem.job import JobStatus
from gem_core.logs import Event, log
from gem_core.moments import moment_text, read_optional_moment
from gem_core.watch.heartbeat import Heartbeat, is_silent
from gem_core.watch.record import NOT_FOUND, Settlement, Stage
from gem_core.watch.record_json import record_to_json
from gem_core.watch.registration import parse_job_run_id, register
from gem_core.watch.registry import JobRegistry, StoredRecord
from gem_core.watch.schedule import Policy

DEFAULT_PAGE = 100
MAX_PAGE = 1000
MAX_AFTER = 2048
_NO_PAGE = "after is no nextPage of a former answer"


@dataclass(frozen=True, slots=True)
class JobManager:
    """All that it takes to manage jobs."""

    registry: JobRegistry
    outbox: Outbox
    heartbeat: Heartbeat
    policy: Policy
    """The operator's limits."""
    schedule: str
    """NCRONTAB of the timer."""
    clock: Callable[[], datetime]


def register_job(manager: JobManager, job_run_id: str, body: object) -> tuple[bool, dict[str, Any]]:
    """Watch a job from now on; whether it is new, and its record. A known job stays as it is.

    Raises:
        RequestError: id or body is not acceptable.

    """
    record = register(job_run_id, body, manager.clock())
    if known := manager.registry.get(record.job_run_id):
        if not known.record.times_checked and known.record.stage is Stage.WATCHING:
            manager.registry.mark_open(
                known.record
            )  # whoever registered it may have died just then
        return False, record_to_json(known.record)
    added = manager.registry.add(record)
    if added is None:  # somebody else registered it at the same time
        return False, record_to_json(_known(manager, job_run_id).record)
    log(Event.JOB_REGISTERED, job_run_id=record.job_run_id)
    return True, record_to_json(record)


def list_jobs(manager: JobManager, query: Mapping[str, str]) -> dict[str, Any]:
    """A page of all jobs, by id.

    Args:
        manager: the edges.
        query: `stage` (only jobs of the page that are in it), `limit`, `after` (a former answer's
            `nextPage`).

    Raises:
        RequestError: a word of the query is not acceptable.

    """
    stage, limit = _stage(query.get("stage")), _limit(query.get("limit"))
    try:
        page = manager.registry.page(stage=stage, size=limit, after=_after(query.get("after")))
    except PageUnknown:
        raise RequestError(_NO_PAGE) from None
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


def show_job(manager: JobManager, job_run_id: str) -> dict[str, Any]:
    """All that is known of a job: its record with history and last answer, and its report."""
    record = _known(manager, job_run_id).record
    id_ = record.manifest_id
    report = manager.outbox.report_url(record.job_run_id, id_) if id_ else None
    return record_to_json(record) | {"reportUrl": report}


class JobDocument(StrEnum):
    """What is kept of a job's last delivery."""

    MANIFEST = "manifest"
    """As it was sent."""
    REPORT = "report"
    """The whole of it, as JSON."""
    PAGE = "page"
    """The report as HTML."""


def show_document(manager: JobManager, job_run_id: str, paper: JobDocument) -> bytes:
    """A paper of the last delivery of a job.

    Raises:
        JobUnknown: it is not registered.
        RequestError: there is no such paper.

    """
    record = _known(manager, job_run_id).record
    if not record.manifest_id:
        raise RequestError(f"no manifest of {job_run_id!r} was sent yet: it is {record.stage}")
    this = record.job_run_id, record.manifest_id
    match paper:
        case JobDocument.MANIFEST:
            manifest = manager.outbox.get(*this)
            held = manifest.body.encode() if manifest else None
        case JobDocument.REPORT:
            held = manager.outbox.report(*this)
        case JobDocument.PAGE:
            held = manager.outbox.page(*this)
    if held is None:
        raise RequestError(f"no {paper} of {job_run_id!r} is kept")
    return held


def check_job(manager: JobManager, checker: Checker, job_run_id: str) -> dict[str, Any]:
    """Ask GEM now, due or not. A job that has settled stays so, whatever GEM says.

    Raises:
        JobUnknown: it is not registered.
        GemAccessError: GEM refused key or token.
        GemError: GEM could not be asked about a job that has settled.

    """
    stored = _known(manager, job_run_id)
    if stored.record.stage is Stage.WATCHING:
        ask(checker, stored)
        return show_job(manager, job_run_id)
    record = stored.record
    try:
        job = checker.gem.get_job(job_run_id)
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
    """Whether the job was settled by another status than GEM's status now, or by "not found"."""
    if settlement is Settlement.EXPIRED:
        return status in set(JobStatus) and JobStatus(status).is_final
    return status != (NOT_FOUND if settlement is Settlement.LOST else settlement)


def redeliver_job(manager: JobManager, job_run_id: str) -> dict[str, Any]:
    """Deliver a settled job once more, from its output as it is now.

    Raises:
        JobUnknown: it is not registered.
        RequestError: it has not settled yet, so there is nothing to deliver.

    """
    stored = _known(manager, job_run_id)
    if stored.record.stage is Stage.WATCHING:
        raise RequestError("the job is still being watched: there is nothing to deliver yet")
    again = stored.record.to_redeliver(manager.clock())
    repeat_ticket(manager, StoredRecord(again, stored.etag))
    return show_job(manager, job_run_id)


def forget_job(manager: JobManager, job_run_id: str) -> None:
    """Stop watching a job and forget it; its reports stay. A job that is not known is fine."""
    parse_job_run_id(job_run_id)
    manager.registry.remove(job_run_id)
    manager.outbox.forget(job_run_id)
    log(Event.JOB_FORGOTTEN, job_run_id=job_run_id)


class TimerStatus(StrEnum):
    """What can be said of the timer."""

    OK = "ok"
    SILENT = "silent"
    """No tick has started for three occurrences of the schedule."""
    STUCK = "stuck"
    """Ticks start, and for as long none of them has ended."""


def tell_status(manager: JobManager) -> tuple[bool, dict[str, Any]]:
    """Whether ticks start and end, and what the last one did; one that runs has no counts yet."""
    last = manager.heartbeat.last() or {}
    started_before = read_optional_moment(last.get("startedAt"))
    started = manager.heartbeat.started()
    started_at = started.at if started else started_before
    now = manager.clock()
    running = started if started and started.at != started_before else None
    # The host starts no tick beside one that runs, so a long one is not silence.
    sign = running.at + TICK_BUDGET if running else read_optional_moment(last.get("endedAt"))
    status = TimerStatus.OK
    if is_silent(sign, now, manager.schedule):
        status = TimerStatus.SILENT
    elif running and is_silent(running.unfinished_since + TICK_BUDGET, now, manager.schedule):
        status = TimerStatus.STUCK
    return status is TimerStatus.OK, {
        "status": status,
        "schedule": manager.schedule,
        "tickAgeSeconds": round((now - started_at).total_seconds(), 3) if started_at else None,
        "runningSince": moment_text(running.at) if running else None,
        "unfinishedSince": moment_text(running.unfinished_since) if running else None,
        "lastTick": last or None,
    }


def _known(manager: JobManager, job_run_id: str) -> StoredRecord:
    stored = manager.registry.get(parse_job_run_id(job_run_id))
    if stored is None:
        raise JobUnknown(
            f"no job {job_run_id!r} is registered: PUT /api/jobs/{job_run_id}, or jobs register"
        )
    return stored


def _stage(text: str | None) -> Stage | None:
    if not text:
        return None
    try:
        return Stage(text)
    except ValueError:
        raise RequestError(f"stage is {text[:40]!r}, not one of {', '.join(Stage)}") from None


def _after(text: str | None) -> str | None:
    """Where to go on: storage's own word, which is never long and always plain."""
    if text and not (len(text) <= MAX_AFTER and text.isascii() and text.isprintable()):
        raise RequestError(_NO_PAGE)
    return text or None


def _limit(text: str | None) -> int:
    if not text:
        return DEFAULT_PAGE
    try:
        return read_count(text, most=MAX_PAGE)
    except ValueError as error:
        raise RequestError(f"limit {error}") from None
