"""Who ticks on a state storage, so that two apps with two identities harm no job. Pure.

GEM shows a job only to the identity that started it: another one sees 404, and would call it lost.
The claim is part of the heartbeat, which each tick reads and writes.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta

from gem_core.errors import StoreClaimed
from gem_core.watch.schedule import CLOCK_SKEW

LAPSES_AFTER = timedelta(hours=1)
"""Without a tick for so long, another app with another identity may tick."""
NOT_LOST_FOR = timedelta(hours=6)
"""So long after ticks began to use another identity, no job is lost: a person can see that it is
the wrong one."""


@dataclass(frozen=True, slots=True)
class Ticker:
    """Who ticks."""

    app: str = ""
    """The name that the platform gives to all instances of an app; empty for any other process,
    which claims nothing."""
    identity: str = ""
    """As whom GEM is asked: an id, no address and no secret."""


@dataclass(frozen=True, slots=True)
class Claim:
    """Who ticked last."""

    ticker: Ticker
    renewed_at: datetime
    since: datetime | None = None
    """When ticks began to use this identity after another one; None if there was no other one."""


def renewed(held: Claim | None, own: Ticker, now: datetime) -> Claim:
    """The claim after a tick of `own` starts now.

    A process without an app's name keeps the claim of an app with its identity. In the same app
    the identity may change.

    Raises:
        StoreClaimed: another app with another identity ticks on this storage.

    """
    if held is None:
        return Claim(own, now)
    if reason := refusal(held, own, now):
        raise StoreClaimed(reason)
    if held.ticker.identity == own.identity:
        since = min(held.since, now) if held.since else None
        return Claim(Ticker(own.app or held.ticker.app, own.identity), now, since)
    return Claim(own, now, since=now)


def refusal(held: Claim | None, own: Ticker, now: datetime) -> str:
    """Why `own` may not tick now; empty if it may.

    A claim with a time that is later than now was written by a wrong clock. It has lapsed.
    """
    if held is None or not now - LAPSES_AFTER < held.renewed_at <= now + CLOCK_SKEW:
        return ""
    if held.ticker.app in {"", own.app} or held.ticker.identity == own.identity:
        return ""
    return (
        f"the app {held.ticker.app!r} ticks on this GEM_STATE, for GEM as {held.ticker.identity}, "
        f"and this process would be {own.identity}. Give each its own GEM_STATE; or stop that app "
        "and run gem-courier store release (or wait an hour)"
    )


def may_lose(held: Claim | None, own: Ticker, now: datetime) -> bool:
    """Whether a 404 that `own` got can mean that a job is lost."""
    if held is None:
        return True
    is_new = held.since is not None and now - held.since < NOT_LOST_FOR
    return held.ticker.identity == own.identity and not is_new
