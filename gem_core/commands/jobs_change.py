"""Runs `jobs register`, `check`, `redeliver` and `forget`. Edge: terminal."""

import sys
from collections.abc import Callable, Sequence

from gem_core.commands.exit_codes import COULD_NOT, DONE, NOT_SO, worst
from gem_core.commands.table import plain
from gem_core.commands.terminal import print_error, print_json, print_lines
from gem_core.errors import (
    CourierError,
    GemAccessError,
    JobUnknown,
    RecordConflict,
    RecordUnreadable,
    RequestError,
    StoreError,
)
from gem_core.flows import manage_jobs as managing
from gem_core.wiring.managers import state_manager
from gem_core.wiring.tick import checker


def register(
    job_run_ids: Sequence[str],
    *,
    labels: Sequence[tuple[str, str]],
    expected_input_name: str | None,
    as_json: bool,
) -> int:
    """Register jobs. Returns the exit code."""
    body = {"labels": dict(labels), "expectedInputName": expected_input_name}

    manager = state_manager()  # a problem with the settings is said once, and not for each job

    def action(job_run_id: str) -> tuple[str, str]:
        is_new, record = managing.register_job(manager, job_run_id, body)
        if is_new:
            return "registered", ""
        differs = "; its labels differ from these, and stay as they are"
        differ = differs if record["labelsDiffer"] else ""
        return "known", f"still {record['stage']}{differ}"

    return _for_each(job_run_ids, action, as_json=as_json)


def check(job_run_ids: Sequence[str], *, as_json: bool) -> int:
    """Ask GEM about jobs now. Returns the exit code."""
    manager, edges = state_manager(), checker()

    def action(job_run_id: str) -> tuple[str, str]:
        shown = managing.check_job(manager, edges, job_run_id)
        status = shown.get("statusNow") or (shown["lastAnswer"] or {}).get("status") or "nothing"
        problem = f", problem: {shown['lastProblem']}" if shown["lastProblem"] else ""
        return "checked", f"{shown['stage']}, GEM says {status}{problem}"

    return _for_each(job_run_ids, action, as_json=as_json)


def redeliver(job_run_ids: Sequence[str], route: str | None, *, as_json: bool) -> int:
    """Deliver settled jobs again; with a route, to it alone. Returns the exit code."""
    manager = state_manager()
    will = f"send it to {route}" if route is not None else "deliver it"

    def action(job_run_id: str) -> tuple[str, str]:
        managing.redeliver_job(manager, job_run_id, route)
        return "redelivered", f"its ticket was raised; the app will {will}"

    return _for_each(job_run_ids, action, as_json=as_json)


def drop_route(job_run_ids: Sequence[str], route: str, *, as_json: bool) -> int:
    """Stop trying to send the manifests of jobs to one route. Returns the exit code."""
    manager = state_manager()

    def action(job_run_id: str) -> tuple[str, str]:
        shown = managing.drop_route(manager, job_run_id, route)
        waits = ", ".join((shown["attempts"] or {}).get("pending", ()))
        return "route_dropped", f"waits for {waits}" if waits else "delivered"

    return _for_each(job_run_ids, action, as_json=as_json)


def forget(job_run_ids: Sequence[str], *, yes: bool, as_json: bool) -> int:
    """Forget jobs, after a confirmation unless `yes`. Returns the exit code.

    Raises:
        RequestError: the user did not confirm.

    """
    manager = state_manager()
    stages = {job_run_id: _stage(manager, job_run_id) for job_run_id in job_run_ids}
    if not yes and any(stages.values()) and not _is_confirmed(stages):
        raise RequestError("no job was forgotten: confirm with y, or use --yes")

    def action(job_run_id: str) -> tuple[str, str]:
        if not stages[job_run_id]:
            raise JobUnknown(f"no job {job_run_id!r} is registered")
        managing.forget_job(manager, job_run_id)
        return "forgotten", f"was {stages[job_run_id]}"

    return _for_each(job_run_ids, action, as_json=as_json)


def _stage(manager: managing.JobManager, job_run_id: str) -> str | None:
    try:
        return str(managing.show_job(manager, job_run_id)["stage"])
    except RecordUnreadable:
        return "unreadable"
    except RequestError:  # the job is unknown or the id is invalid; `forget` reports it later
        return None


def _is_confirmed(stages: dict[str, str | None]) -> bool:
    """Ask for confirmation on the terminal. Without a terminal, nothing is confirmed."""
    if not sys.stdin.isatty():
        return False
    for job_run_id, stage in stages.items():
        if stage:
            lost = "" if stage == "delivered" else "; its manifest will not be sent"
            sys.stderr.write(f"{plain(job_run_id)}: {stage}{lost}\n")
    sys.stderr.write("Forget? [y/N] ")
    sys.stderr.flush()
    return sys.stdin.readline().strip().lower() in {"y", "yes"}


def _for_each(
    job_run_ids: Sequence[str], action: Callable[[str], tuple[str, str]], *, as_json: bool
) -> int:
    """Run the action for every job and print each result. Returns the worst exit code.

    An error that concerns one job does not stop the others.

    Args:
        job_run_ids: the jobs.
        action: from a job id to a result word and a detail.
        as_json: print JSON instead of text.

    """
    return worst(_run(job_run_id, action, as_json=as_json) for job_run_id in job_run_ids)


def _run(job_run_id: str, action: Callable[[str], tuple[str, str]], *, as_json: bool) -> int:
    code = DONE
    try:
        result, detail = action(job_run_id)
    except GemAccessError:
        raise  # every other job would fail in the same way
    except RequestError as error:
        code, result, detail = NOT_SO, "not_done", str(error)
    except CourierError as error:
        is_about_the_job = isinstance(error, RecordConflict | RecordUnreadable)
        if isinstance(error, StoreError) and not is_about_the_job:
            raise
        code, result, detail = COULD_NOT, "failed", str(error)
    if as_json:
        line = {"jobRunId": job_run_id, "result": result, "detail": detail or None}
        print_json(line, indent=None)
    else:
        text = plain(f"{job_run_id}: {result.replace('_', ' ')}{f', {detail}' if detail else ''}")
        if code:
            print_error(text)
        else:
            print_lines([text])
    return code
