"""Looks at what the app has done lately: ticks and deliveries. Pure: both come as edges."""

from collections.abc import Mapping
from typing import Any

from gem_core.doctor.finding import Finding, fail, ok, skipped, warning
from gem_core.doctor.installation import Installation
from gem_core.doctor.look_stores import store_trouble
from gem_core.errors import StoreError
from gem_core.flows.check_jobs import BUSY
from gem_core.flows.timer_status import TimerStatus, timer_status
from gem_core.outcome import Outcome
from gem_core.watch.record import JobRecord, Stage

_START = (
    "is the app deployed and running (az functionapp show)? does its log stream tell of settings "
    "or of the host's storage? locally: make start, or func start"
)


def timer(installation: Installation) -> Finding:
    """The age of the last tick against the schedule, and how it ended."""
    try:
        alive, status = timer_status(installation.manager())
    except StoreError as error:
        return store_trouble(error, "the last tick", "azd provision")
    if status["tickAgeSeconds"] is None:
        return fail("no tick was ever seen", _START)
    detail = f"last tick {_span(status['tickAgeSeconds'])} ago, schedule {status['schedule']}"
    if status["status"] == TimerStatus.STUCK:
        return fail(
            f"{detail}, but none has ended since {status['unfinishedSince']}",
            "ticks die: mend what fails above, then look for their end in the log stream (an error "
            "of storage, memory, time-out)",
        )
    if not alive:
        return fail(f"silent: {detail}", f"restart the app (az functionapp restart); {_START}")
    return _ended(status["lastTick"] or {}, detail)


def _ended(last: Mapping[str, Any], detail: str) -> Finding:
    """How the last tick that ended did so."""
    if last.get("stopped") == BUSY:
        return warning(
            f"{detail}, left {last['remaining']} due jobs: {BUSY}",
            "once is harmless: the lease of a run that died ends after 20 seconds. If it stays so, "
            "a second app uses this GEM_STATE, or batches of an earlier setting still run",
        )
    if last.get("stopped"):
        return fail(f"{detail}, stopped: {last['stopped']}", "see gem and token above")
    if last.get("remaining"):
        return warning(
            f"{detail}, left {last['remaining']} due jobs to the next one",
            "raise GEM_CHECK_REQUESTS_PER_SECOND, or set GEM_CHECK_BATCH_SIZE (docs/scale.md)",
        )
    return ok(detail)


def events(installation: Installation) -> Finding:
    """Whether tickets lead to deliveries by themselves, told from the newest records.

    What the event subscription itself says (its metrics) needs a right in Azure's management; a
    record tells as much: a job that was delivered after its first ticket got that ticket's event.
    """
    recent = installation.recent()
    sent = [each for each in recent if each.stage is Stage.DELIVERED and _tells(each)]
    sent.sort(key=lambda each: each.delivered_at or each.registered_at, reverse=True)
    waiting = [each for each in recent if each.stage is Stage.SETTLED and each.tickets > 1]
    remedy = (
        "azd hooks run postdeploy makes the event subscription again; then look at the log of "
        "deliver_results and at jobs list --trouble"
    )
    if not sent and not waiting:
        return skipped("no job was delivered yet: nothing is known of the event subscription")
    by_event = sum(each.tickets == 1 for each in sent)
    detail = f"{by_event} of the last {len(sent)} deliveries came of the first ticket"
    if waiting:
        detail += f"; {len(waiting)} jobs wait though their ticket was raised again"
    if not by_event:
        return fail(detail, remedy)
    if waiting or sent[0].tickets > 1:
        return warning(detail, remedy)
    return ok(f"{detail}, the newest {_ago(sent[0], installation)}")


def _tells(record: JobRecord) -> bool:
    """A job whose output was waited for has had several tickets, whatever the events did."""
    return record.outcome is not Outcome.OUTPUT_MISSING


def _ago(record: JobRecord, installation: Installation) -> str:
    if record.delivered_at is None:
        return "at an unknown time"
    return f"{_span((installation.clock() - record.delivered_at).total_seconds())} ago"


def _span(seconds: float | None) -> str:
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
