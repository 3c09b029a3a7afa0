"""Runs the command `wait`. Edge: terminal, clock."""

import sys
from collections.abc import Sequence
from datetime import timedelta
from time import sleep

from gem_core.commands.app_jobs import KEY_VARIABLE, AppJobs
from gem_core.commands.exit_codes import DONE, NOT_SO, TIMED_OUT
from gem_core.commands.progress import ProgressLine
from gem_core.commands.table import plain
from gem_core.commands.terminal import print_error, print_json, print_lines
from gem_core.commands.wait_text import changed_line, open_line, record_summary
from gem_core.errors import CourierError
from gem_core.flows.manage_jobs import registered_job
from gem_core.flows.wait_for_jobs import ReadRecord, Waited, Waiter, wait_for
from gem_core.outcome import Outcome
from gem_core.redaction import remember
from gem_core.secret import Secret
from gem_core.storage.names import WORKLIST
from gem_core.watch.durations import Durations, DurationStore
from gem_core.watch.record import JobRecord
from gem_core.wiring.environment import now, system_environment
from gem_core.wiring.managers import state_manager
from gem_core.wiring.stores import stores

_GOOD = {Outcome.VALID, Outcome.VALID_WITH_WARNINGS}


def run(
    job_run_ids: Sequence[str], *, app: str | None, timeout_minutes: int | None, as_json: bool
) -> int:
    """Wait, and print what happens. Returns the exit code.

    Args:
        job_run_ids: of registered jobs.
        app: the address of the app; None reads the app's storage.
        timeout_minutes: None waits for ever.
        as_json: print one JSON object for each job at the end, and no lines.

    Raises:
        CourierError: the jobs cannot be read; the message gives the reason.

    """
    read, known = _source(app)
    with ProgressLine(sys.stderr) as progress:

        def say(record: JobRecord) -> None:
            if not as_json:
                progress.erase()
                print_lines([changed_line(record, known, now())])

        def fail(job_run_id: str, error: CourierError) -> None:
            progress.erase()
            print_error(plain(f"{job_run_id}: {error}; it is read again"))

        waiter = Waiter(
            read=read,
            clock=now,
            sleep=lambda pause: sleep(pause.total_seconds()),
            on_change=say,
            on_failure=fail,
            on_round=lambda records: progress.show(open_line(records, known, now())),
        )
        timeout = None if timeout_minutes is None else timedelta(minutes=timeout_minutes)
        found = wait_for(waiter, job_run_ids, timeout)
    _print_end(found, job_run_ids, known, as_json=as_json)
    if found.left:
        return TIMED_OUT
    return DONE if all(each.outcome in _GOOD for each in found.delivered.values()) else NOT_SO


def _source(app: str | None) -> tuple[ReadRecord, Durations]:
    """What reads records, and how long earlier jobs ran."""
    if app is None:
        manager = state_manager()
        known = DurationStore(stores().documents(WORKLIST)).read()
        return lambda job_run_id: registered_job(manager, job_run_id).record, known
    key = system_environment().get(KEY_VARIABLE, "")
    remember(key)
    return AppJobs(app, Secret(key) if key else None).read, Durations()


def _print_end(
    found: Waited, job_run_ids: Sequence[str], known: Durations, *, as_json: bool
) -> None:
    if as_json:
        for job_run_id in job_run_ids:
            if record := found.delivered.get(job_run_id) or found.left.get(job_run_id):
                print_json(record_summary(record, known), indent=None)
    elif found.left:
        names = ", ".join(map(plain, found.left))
        print_error(f"not delivered in time: {names}")
