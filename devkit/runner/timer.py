"""Timer triggers: the schedule (pure), and the loop with its status blob (edge).

Source of the rules: TimerListener and StorageScheduleMonitor of azure-webjobs-sdk-extensions. Runs
never overlap. The next run is at the first occurrence after the start of the last run. Missed
occurrences cause only one run. Times are UTC.
"""

import json
import logging
import threading
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from typing import Any

from azure.core.exceptions import ResourceNotFoundError
from azure.storage.blob import BlobClient

from devkit.runner.worker import AppLoadError, TypedData
from gem_core.settings.ncrontab import Schedule

logger = logging.getLogger(__name__)

_MONITOR_FROM = timedelta(minutes=1)
_EARLY = timedelta(seconds=1)
"""A timer fires at most so much too early. What runs earlier runs at the start of the host."""
_NEVER = datetime(1, 1, 1, tzinfo=UTC)
"""The extension writes this moment when there was no run yet."""


def read_schedule(text: str) -> Schedule:
    """A schedule, as the host reads it. Raises AppLoadError if it is none."""
    try:
        return Schedule.parse(text)
    except ValueError as error:
        raise AppLoadError(f"schedule {text!r} is not NCRONTAB: {error}") from error


def is_monitored(schedule: Schedule, now: datetime) -> bool:
    """Whether runs are at least a minute apart. Only then, a status is stored."""
    occurrences = [schedule.after(now)]
    for _ in range(4):
        occurrences.append(schedule.after(occurrences[-1]))
    return all(later - first >= _MONITOR_FROM for first, later in pairwise(occurrences))


@dataclass(frozen=True, slots=True)
class Status:
    """The stored status of a timer, which survives a restart of the host."""

    last: datetime
    next: datetime
    updated: datetime

    @classmethod
    def parse(cls, text: bytes | str) -> "Status":
        """Read the JSON of the status blob. Raises ValueError or KeyError if it is invalid."""
        values = json.loads(text)
        moments = (datetime.fromisoformat(values[key]) for key in ("Last", "Next", "LastUpdated"))
        last, following, updated = (
            one.replace(tzinfo=UTC) if one.tzinfo is None else one for one in moments
        )
        return cls(last, following, updated)

    def as_json(self) -> dict[str, str]:
        """The object that is stored, and passed to the function as `schedule_status`."""
        return {
            "Last": self.last.isoformat(),
            "Next": self.next.isoformat(),
            "LastUpdated": self.updated.isoformat(),
        }


def status_at_start(stored: Status | None, schedule: Schedule, now: datetime) -> Status:
    """The status when the host starts. The timer is past due if its `next` is before `now`.

    If the stored `next` does not fit the schedule, the schedule has changed. Then `next` is
    computed again, from now on if it would be past. So a changed schedule is never past due.
    """
    if stored is None:
        return Status(_NEVER, schedule.after(now), now)
    base = stored.last if stored.last > _NEVER else stored.updated
    expected = schedule.after(base)
    if stored.next == expected:
        return stored
    if expected < now:
        return Status(_NEVER, schedule.after(now), now)
    return Status(_NEVER, expected, base)


def status_after_run(
    schedule: Schedule, *, due: datetime, started: datetime, ended: datetime
) -> Status:
    """The status after a run. `next` may be past: then the next run starts at once, not past due.

    A run that began a moment too early counts as the one that was due.
    """
    is_early = timedelta(0) < due - started < _EARLY
    counted = due if is_early else started
    return Status(counted, schedule.after(counted), ended)


def timer_value(status: Status | None, *, past_due: bool) -> TypedData:
    """The trigger's value in the form that the worker expects."""
    value = {
        "Schedule": {"AdjustForDST": True},
        "ScheduleStatus": status.as_json() if status else None,
        "IsPastDue": past_due,
    }
    return TypedData(json=json.dumps(value))


class Timer:
    """Runs a function on its schedule until `stop` is set. A failure does not end the schedule."""

    def __init__(
        self,
        schedule: Schedule,
        fire: Callable[[TypedData], Any],
        *,
        status_blob: BlobClient | None,
        run_on_startup: bool,
        stop: threading.Event,
    ) -> None:
        """`status_blob` stores the status of a monitored timer; None for use_monitor=False."""
        self._schedule = schedule
        self._fire = fire
        self._blob = status_blob if is_monitored(schedule, datetime.now(UTC)) else None
        self._run_on_startup = run_on_startup
        self._stop = stop

    def run(self) -> None:
        """Run the function in a loop. Blocks until `stop`."""
        now = datetime.now(UTC)
        status = status_at_start(self._load(), self._schedule, now)
        self._save(status)
        past_due = status.next < now
        if past_due or self._run_on_startup:
            status = self._run_once(status, past_due=past_due)
        while not self._stop.wait(max(0.0, (status.next - datetime.now(UTC)).total_seconds())):
            status = self._run_once(status, past_due=False)

    def _run_once(self, status: Status, *, past_due: bool) -> Status:
        started = datetime.now(UTC)
        self._fire(timer_value(status if self._blob else None, past_due=past_due))
        done = status_after_run(
            self._schedule, due=status.next, started=started, ended=datetime.now(UTC)
        )
        self._save(done)
        return done

    def _load(self) -> Status | None:
        if not self._blob:
            return None
        try:
            return Status.parse(self._blob.download_blob().readall())
        except ResourceNotFoundError:
            return None
        except (ValueError, KeyError, TypeError):
            logger.warning("%s is not a timer status; a new one is created", self._blob.blob_name)
            return None

    def _save(self, status: Status) -> None:
        if not self._blob:
            return
        try:
            self._blob.upload_blob(json.dumps(status.as_json()), overwrite=True)
        except Exception:
            logger.exception("The timer status could not be stored; the schedule continues")
