"""Stores the last ticks of the timer, which show whether the timer works. `is_silent` is pure.

A timer can stop while the HTTP endpoints still work, and a stopped timer cannot report this itself.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass, fields, replace
from datetime import datetime, timedelta
from functools import cache
from typing import Any

from gem_core.moments import moment_text, optional_moment_text, read_lenient_moment
from gem_core.settings.ncrontab import Schedule
from gem_core.storage.documents import Documents
from gem_core.watch.json_types import read_json
from gem_core.watch.store_claim import Claim, Ticker, may_lose, refusal, renewed

ENDED = "tick-ended.json"
"""The last tick that ended; its member "before" has the ticks that ended before it."""
STARTED = "tick-started.json"
"""When the last tick started, and who ticks. This is a separate document, so that the counts of the
last tick that ended stay available."""
MAX_ENDED = 5
"""Ticks that ended that are kept."""
SILENT_AFTER = 3
"""The timer is silent after so many occurrences of its schedule without a tick."""
HANDOVER = timedelta(minutes=2)
"""How long a tick may be late when another instance takes over the lock of the timer. Up to 91
seconds were seen in the Functions host, after an instance was killed."""

MAX_AHEAD = timedelta(minutes=10)
"""The time at which the timer worked may be this much later than now. A tick that runs counts until
its time is over, and the clocks of two instances differ a little."""


@dataclass(frozen=True, slots=True)
class Tick:
    """What one tick did."""

    started_at: datetime
    ended_at: datetime | None = None
    open_jobs: int = 0
    due_jobs: int = 0
    checked: int = 0
    """Due jobs for which GEM gave a usable answer; a 404 is one."""
    settled: int = 0
    tickets_repeated: int = 0
    problems: int = 0
    """Due jobs with any problem; those of the next two are among them."""
    not_answered: int = 0
    """Due jobs for which GEM was asked and gave no usable answer."""
    unreadable: int = 0
    """Due jobs whose record is not valid, or was written by a newer version of the app."""
    remaining: int = 0
    """Due jobs that wait for the next tick."""
    handed_out: int = 0
    """Due jobs that were sent to `check_batch`."""
    oldest_due_at: datetime | None = None
    oldest_remaining_at: datetime | None = None
    """When the oldest job was due that waits for the next tick although GEM answers about it."""
    poison_messages: int | None = None
    """Messages on the poison queues; None when they could not be counted."""
    oldest_poison_at: datetime | None = None
    """When the oldest of them was put there. Azure deletes it seven days later."""
    stopped: str | None = None
    """Why the tick ended before it had checked all due jobs."""

    def to_json(self) -> dict[str, Any]:
        """Plain JSON with names in camelCase and times as ISO 8601."""
        values = ((field.name, getattr(self, field.name)) for field in fields(self))
        return {
            _camel(name): moment_text(value) if isinstance(value, datetime) else value
            for name, value in values
        }


@dataclass(frozen=True, slots=True)
class Started:
    """The tick that started last. It may still be running, have ended or have died."""

    at: datetime
    unfinished_since: datetime
    """When this tick started, or the first of the unfinished ticks right before it."""

    def has_ended(self, last: Mapping[str, Any]) -> bool:
        """Whether this tick has ended, or one beside it that ended later.

        Args:
            last: the tick that ended last, as JSON; empty before the first one.

        """
        if last.get("startedAt") == moment_text(self.at):
            return True
        ended_at = read_lenient_moment(last.get("endedAt"))
        return ended_at is not None and ended_at > self.at


class Heartbeat:
    """Stores the last ticks, beside the worklist."""

    def __init__(self, documents: Documents, ticker: Ticker | None = None) -> None:
        """Store ticks.

        Args:
            documents: of the worklist.
            ticker: who ticks; None for a process that only reads.

        """
        self._documents = documents
        self.ticker = ticker or Ticker()
        self._ended: tuple[dict[str, Any], ...] = ()
        """What `ended` gave or `end` stored last. `start` reads it again only if the last tick is
        not in it: it was cut off, or it was another process's."""

    def start(self, at: datetime) -> datetime:
        """Store that a tick has started. The counts of the last tick that ended do not change.

        Returns:
            Since when ticks start and do not end; `at` unless earlier ticks were cut off.

        Raises:
            StoreClaimed: another app with another identity ticks; nothing was stored.

        """
        before = self._read(STARTED)
        claim = renewed(_claim(before), self.ticker, at)
        since = self._unfinished_since(_started(before), at)
        self._put_started(Started(at, since), claim)
        return since

    def end(self, tick: Tick) -> None:
        """Store this tick as the last one that ended."""
        self._ended = (tick.to_json(), *self._ended)[:MAX_ENDED]
        last, *before = self._ended
        self._documents.put(ENDED, json.dumps({**last, "before": before}).encode())

    def last(self) -> dict[str, Any] | None:
        """The last tick that ended, as JSON; None before the first one."""
        return next(iter(self.ended()), None)

    def ended(self) -> tuple[dict[str, Any], ...]:
        """The last ticks that ended, as JSON, the last one first: at most `MAX_ENDED`."""
        last = self._read(ENDED)
        if last is None:
            return ()
        before = last.pop("before", [])  # older versions stored only the last one
        ticks = before if isinstance(before, list) else []
        return (last, *(each for each in ticks if isinstance(each, dict)))

    def started(self) -> Started | None:
        """The tick that started last; None before the first one."""
        return _started(self._read(STARTED))

    def claim(self) -> Claim | None:
        """Who ticked last; None before the first tick, and after one of an older version."""
        return _claim(self._read(STARTED))

    def refusal(self, now: datetime) -> str:
        """Why this process may not tick now; empty if it may."""
        return refusal(self.claim(), self.ticker, now)

    def may_lose(self, now: datetime) -> bool:
        """Whether a 404 that this process got can mean that a job is lost."""
        return may_lose(self.claim(), self.ticker, now)

    def release(self) -> str:
        """End the claim, so that another app may tick; returns the name of the app that had it.

        The identity stays known: no job is lost soon after another one has followed it.
        """
        values = self._read(STARTED)
        started, claim = _started(values), _claim(values)
        if started is None or claim is None or not claim.ticker.app:
            return ""
        self._put_started(started, replace(claim, ticker=Ticker("", claim.ticker.identity)))
        return claim.ticker.app

    def _put_started(self, started: Started, claim: Claim) -> None:
        values = {
            "startedAt": moment_text(started.at),
            "unfinishedSince": moment_text(started.unfinished_since),
            "app": claim.ticker.app,
            "identity": claim.ticker.identity,
            "identitySince": optional_moment_text(claim.since),
        }
        self._documents.put(STARTED, json.dumps(values).encode())

    def _unfinished_since(self, before: Started | None, at: datetime) -> datetime:
        """Since when ticks start and do not end, if a tick starts at this time."""
        if before is None or self._has_ended(before):
            return at
        self._ended = self.ended()
        return at if self._has_ended(before) else before.unfinished_since

    def _has_ended(self, tick: Started) -> bool:
        return bool(self._ended) and tick.has_ended(self._ended[0])

    def _read(self, name: str) -> dict[str, Any] | None:
        stored = self._documents.get(name)
        try:
            read = read_json(stored.body) if stored else None
        except ValueError:
            return None  # somebody edited it; the next tick writes it anew
        return read if isinstance(read, dict) else None


def _started(values: Mapping[str, Any] | None) -> Started | None:
    at = read_lenient_moment(values.get("startedAt")) if values else None
    if values is None or at is None:
        return None
    return Started(at, read_lenient_moment(values.get("unfinishedSince")) or at)


def _claim(values: Mapping[str, Any] | None) -> Claim | None:
    started = _started(values)
    if values is None or started is None or "identity" not in values:
        return None
    ticker = Ticker(str(values.get("app", "")), str(values["identity"]))
    return Claim(ticker, started.at, read_lenient_moment(values.get("identitySince")))


def is_silent(seen_at: datetime | None, now: datetime, schedule: Schedule) -> bool:
    """Whether the timer has missed three occurrences of its schedule, and had time for a handover.

    Args:
        seen_at: when the timer last worked; None if it never did. A time in the future does not
            count: a wrong clock wrote it, and it would hide that the timer stopped.
        now: the present time.
        schedule: in UTC.

    """
    if seen_at is None or seen_at > now + MAX_AHEAD:
        return True
    third = expected = schedule.after(seen_at)
    for _ in range(SILENT_AFTER - 1):
        third = schedule.after(third)
    return now > max(third, expected + HANDOVER)


@cache
def _camel(name: str) -> str:
    first, *rest = name.split("_")
    return first + "".join(word.title() for word in rest)
