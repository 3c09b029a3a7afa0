"""Reports whether the timer works."""

from collections.abc import Mapping
from enum import StrEnum
from typing import Any

from gem_core.flows.check_jobs import TICK_BUDGET
from gem_core.flows.manage_jobs import JobManager
from gem_core.moments import moment_text, read_lenient_moment
from gem_core.settings.ncrontab import Schedule
from gem_core.watch.heartbeat import is_silent


class TimerStatus(StrEnum):
    """Whether the timer works."""

    OK = "ok"
    SILENT = "silent"
    """No tick has started for three occurrences of the schedule, and for two minutes after the
    first of them: another instance may have to take over the timer."""
    STUCK = "stuck"
    """Ticks start, but none has ended for that time and the time that a tick may take."""
    FAILING = "failing"
    """The timer works, and GEM answered no question of the last tick."""
    BEHIND = "behind"
    """The timer works, and the last tick left a job that was due for three occurrences of the
    schedule although GEM answers about it."""

    @property
    def works(self) -> bool:
        """Whether the timer works. A restart of the app helps only if it does not."""
        return self not in {TimerStatus.SILENT, TimerStatus.STUCK}


def timer_status(manager: JobManager) -> tuple[bool, dict[str, Any]]:
    """Whether the timer works, and what the last tick that ended did."""
    last = manager.heartbeat.last() or {}
    last_started_at = read_lenient_moment(last.get("startedAt"))
    started = manager.heartbeat.started()
    started_at = started.at if started else last_started_at
    now = manager.clock()
    running = started if started and not started.has_ended(last) else None
    # The host starts no second tick while one runs, so a long tick does not make the timer silent.
    seen_at = running.at + TICK_BUDGET if running else read_lenient_moment(last.get("endedAt"))
    status = _of_last_tick(last, manager.schedule)
    if is_silent(seen_at, now, manager.schedule):
        status = TimerStatus.SILENT
    elif running and is_silent(running.unfinished_since + TICK_BUDGET, now, manager.schedule):
        status = TimerStatus.STUCK
    return status.works, {
        "status": status,
        "schedule": manager.schedule.text,
        "tickAgeSeconds": round((now - started_at).total_seconds(), 3) if started_at else None,
        "runningSince": moment_text(running.at) if running else None,
        "unfinishedSince": moment_text(running.unfinished_since) if running else None,
        "lastTick": last or None,
    }


def _of_last_tick(last: Mapping[str, Any], schedule: Schedule) -> TimerStatus:
    """How the last tick that ended did, if the timer works."""
    if last.get("notAnswered") and not last.get("checked"):
        return TimerStatus.FAILING
    ended_at = read_lenient_moment(last.get("endedAt"))
    since = read_lenient_moment(last.get("oldestRemainingAt"))
    if since and ended_at and is_silent(since, ended_at, schedule):
        return TimerStatus.BEHIND
    return TimerStatus.OK
