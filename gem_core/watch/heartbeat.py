"""The last tick of the timer, which shows whether the timer works. `is_silent` is pure.

Timers have been seen to stop while the HTTP routes still work, so the timer cannot report itself.
"""

import json
from dataclasses import dataclass, fields
from datetime import datetime
from functools import cache
from typing import Any

from cronsim import CronSim

from gem_core.moments import moment_text, read_moment, read_optional_moment
from gem_core.storage.documents import Documents

ENDED = "tick-ended.json"
"""The last tick that ended."""
STARTED = "tick-started.json"
"""When the last tick started; a document of its own, so that the counts of the last one stay."""
SILENT_AFTER = 3
"""Occurrences of the schedule without a tick."""


@dataclass(frozen=True, slots=True)
class Tick:
    """What one tick did."""

    started_at: datetime
    ended_at: datetime | None = None
    open_jobs: int = 0
    due_jobs: int = 0
    checked: int = 0
    """Due jobs about which GEM gave a usable answer, a 404 included."""
    settled: int = 0
    tickets_repeated: int = 0
    problems: int = 0
    remaining: int = 0
    """Due jobs that remain for the next tick."""
    handed_out: int = 0
    """Due jobs that were handed to `check_batch`."""
    oldest_due_at: datetime | None = None
    poison_messages: int | None = None
    """Messages that failed too often and wait for an operator; None when they cannot be counted."""
    stopped: str | None = None
    """Why the tick ended before its work was done."""

    def to_json(self) -> dict[str, Any]:
        """As plain JSON, in camelCase; times are ISO 8601."""
        values = ((field.name, getattr(self, field.name)) for field in fields(self))
        return {
            _camel(name): moment_text(value) if isinstance(value, datetime) else value
            for name, value in values
        }


@dataclass(frozen=True, slots=True)
class Started:
    """The tick that started last; it may be running, have ended or have died."""

    at: datetime
    unfinished_since: datetime
    """When it started, or the first of the ticks right before it that started and never ended."""


class Heartbeat:
    """Stores the last tick, beside the worklist."""

    def __init__(self, documents: Documents) -> None:
        self._documents = documents
        self._ended = False
        """Whether the last tick of this process ended: then `start` need not read it."""

    def start(self, at: datetime) -> None:
        """A tick starts; what the last one did stays visible."""
        since = at if self._ended else self._unfinished_since(at)
        self._ended = False
        started = {"startedAt": moment_text(at), "unfinishedSince": moment_text(since)}
        self._documents.put(STARTED, json.dumps(started).encode())

    def end(self, tick: Tick) -> None:
        """Store this tick as the last one."""
        self._documents.put(ENDED, json.dumps(tick.to_json()).encode())
        self._ended = True

    def last(self) -> dict[str, Any] | None:
        """The last tick that ended, as JSON, or None before the first one."""
        return self._read(ENDED)

    def started(self) -> Started | None:
        """The tick that started last, or None before the first one."""
        held = self._read(STARTED)
        if held is None:
            return None
        at = read_moment(held["startedAt"])
        return Started(at, read_optional_moment(held.get("unfinishedSince")) or at)

    def _unfinished_since(self, at: datetime) -> datetime:
        """Since when no tick has ended, when one starts now."""
        try:
            before, last = self.started(), self.last() or {}
            if before is None or last.get("startedAt") == moment_text(before.at):
                return at
        except (ValueError, LookupError, TypeError, AttributeError):
            return at  # an unreadable document must not stop a tick
        return before.unfinished_since

    def _read(self, name: str) -> dict[str, Any] | None:
        held = self._documents.get(name)
        if held is None:
            return None
        read: dict[str, Any] = json.loads(held.body)
        return read


def is_silent(last_sign: datetime | None, now: datetime, schedule: str) -> bool:
    """Whether the timer has missed three occurrences of its schedule (NCRONTAB, UTC) since then."""
    if last_sign is None:
        return True
    occurrences = CronSim(schedule, last_sign)
    for _ in range(SILENT_AFTER):
        limit = next(occurrences)
    return now > limit


@cache
def _camel(name: str) -> str:
    first, *rest = name.split("_")
    return first + "".join(word.title() for word in rest)
