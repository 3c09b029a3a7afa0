"""Diagnostics of the app's recent work: ticks and deliveries. Pure: both are passed in."""

from collections.abc import Mapping
from typing import Any

from gem_core.doctor.diagnose_stores import store_failure
from gem_core.doctor.finding import Finding, fail, ok, skipped, warning
from gem_core.doctor.installation import Installation
from gem_core.errors import StoreError
from gem_core.flows.check_jobs import BUSY
from gem_core.flows.timer_status import TimerStatus, timer_status
from gem_core.outcome import Outcome
from gem_core.watch.record import JobRecord, Stage
from gem_core.watch.store_claim import may_lose, refusal

_START = (
    "check that the app is deployed and running (az functionapp show), and that its log stream has "
    "no error about settings or the host's storage; locally: make start, or func start"
)


def claim(installation: Installation) -> Finding:
    """Whether this process may tick on its storage, and whether jobs may be lost. Only reads."""
    now, own = installation.clock(), installation.ticker
    try:
        held = installation.manager().heartbeat.claim()
    except StoreError as error:
        return store_failure(error, "the last tick", "azd provision")
    if held is None:
        return ok("no tick has recorded yet which app ticks")
    if reason := refusal(held, own, now):
        # On a person's machine another identity is usual: it would not tick.
        remedy = "give each app its own GEM_STATE (docs/operations.md, Incidents)"
        return fail(reason, remedy) if own.app else ok(f"a tick from here is refused: {reason}")
    if held.ticker.identity == own.identity and not may_lose(held, own, now):
        return warning(
            f"ticks ask GEM as {own.identity} since {held.since:%Y-%m-%d %H:%M} UTC, before as "
            "another identity; for six hours no job is called lost",
            "if GEM answers 404 now (jobs list --trouble), the new identity is the wrong one",
        )
    return ok(f"ticks ask GEM as {held.ticker.identity}")


def timer(installation: Installation) -> Finding:
    """Compares the age of the last tick with the schedule, and reports how that tick ended."""
    try:
        alive, status = timer_status(installation.manager())
    except StoreError as error:
        return store_failure(error, "the last tick", "azd provision")
    if status["tickAgeSeconds"] is None:
        return fail("no tick has run yet", _START)
    detail = f"last tick {_duration(status['tickAgeSeconds'])} ago, schedule {status['schedule']}"
    if status["status"] == TimerStatus.STUCK:
        return fail(
            f"{detail}, but no tick has ended since {status['unfinishedSince']}",
            "ticks start and do not end: correct what fails above, then search the log stream for "
            "the cause (a storage error, memory, a time-out)",
        )
    if not alive:
        return fail(f"silent: {detail}", f"restart the app (az functionapp restart); {_START}")
    return _last_tick(status["lastTick"] or {}, status["status"], detail)


def _last_tick(last: Mapping[str, Any], status: str, detail: str) -> Finding:
    """How the last finished tick ended."""
    if last.get("stopped") == BUSY:
        return warning(
            f"{detail}, left {last['remaining']} due jobs: {BUSY}",
            "once is harmless: the lease of a run that died ends after 20 seconds. If it repeats, "
            "a scheduler outside ticks at the same time as the timer (harmless), a second app uses "
            "this GEM_STATE, or batches of an earlier setting still run",
        )
    if last.get("stopped"):
        return fail(f"{detail}, stopped: {last['stopped']}", "see gem and token above")
    if status == TimerStatus.FAILING:
        return fail(
            f"{detail}, GEM answered none of {last['notAnswered']} questions",
            "see gem and token above, and jobs list --trouble",
        )
    if status == TimerStatus.BEHIND:
        return warning(
            f"{detail}, behind: left {last['remaining']} due jobs, the oldest due since "
            f"{last['oldestRemainingAt']}",
            "raise GEM_CHECK_REQUESTS_PER_SECOND and GEM_CHECK_CONCURRENCY, or set "
            "GEM_CHECK_BATCH_SIZE (docs/scale.md)",
        )
    if last.get("remaining"):
        return warning(
            f"{detail}, left {last['remaining']} due jobs to the next tick",
            "raise GEM_CHECK_REQUESTS_PER_SECOND, or set GEM_CHECK_BATCH_SIZE (docs/scale.md)",
        )
    return ok(detail)


def events(installation: Installation) -> Finding:
    """Whether tickets start deliveries automatically, as the newest records show.

    The metrics of the event subscription would need a right in Azure's management. A record shows
    the same: a job that was delivered after its first ticket received the event of that ticket.
    """
    recent = installation.recent()
    delivered = [each for each in recent if _shows_events(each)]
    delivered.sort(key=lambda each: each.delivered_at or each.registered_at, reverse=True)
    waiting = [each for each in recent if each.stage is Stage.SETTLED and each.tickets > 1]
    remedy = (
        "run azd hooks run postdeploy, which creates the event subscription again; then check the "
        "log of deliver_results and jobs list --trouble"
    )
    if not delivered and not waiting:
        return skipped("no job was delivered yet: the event subscription is not tested")
    by_event = sum(each.tickets == 1 for each in delivered)
    detail = f"{by_event} of the last {len(delivered)} deliveries came from the first ticket"
    if waiting:
        detail += f"; {len(waiting)} jobs wait although their ticket was raised again"
    if not by_event:
        return fail(detail, remedy)
    if waiting or delivered[0].tickets > 1:
        return warning(detail, remedy)
    return ok(f"{detail}, the newest {_ago(delivered[0], installation)}")


def _shows_events(record: JobRecord) -> bool:
    """Whether the number of a record's tickets says something about the events.

    It does not while the job waits for delivery. Nor does it when the app waited for a missing
    output: that job has several tickets in any case.
    """
    return record.stage is Stage.DELIVERED and record.outcome is not Outcome.OUTPUT_MISSING


def _ago(record: JobRecord, installation: Installation) -> str:
    if record.delivered_at is None:
        return "at an unknown time"
    return f"{_duration((installation.clock() - record.delivered_at).total_seconds())} ago"


def _duration(seconds: float | None) -> str:
    if seconds is None:
        return "an unknown time"
    minutes, rest = divmod(int(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return (
        f"{hours} h {minutes} min"
        if hours
        else f"{minutes} min {rest} s"
        if minutes
        else f"{rest} s"
    )
