"""What the runs of one delivery leave in the record until the manifest is sent. Pure."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta

MAX_REASON = 500
"""Characters of a reason that are stored."""
FIRST_WAIT = timedelta(seconds=15)
"""The wait after a delivery was postponed for the first time. It doubles each time."""
LONGEST_WAIT = timedelta(minutes=10)
"""The longest wait of a postponed delivery."""
SLOW_AFTER = timedelta(days=1)
"""A route that has failed for longer than this is tried once in `SLOW_WAIT`."""
SLOW_WAIT = timedelta(hours=1)
TROUBLE_AFTER = timedelta(hours=1)
"""A delivery that is postponed for longer than this needs a person."""


@dataclass(frozen=True, slots=True)
class Postponement:
    """Why a delivery is postponed, and for how long that has been so."""

    since: datetime
    """When it was postponed first."""
    times: int
    reason: str
    """The last reason: a text for people."""
    until: datetime
    """When the ticket is raised again."""
    ends: datetime | None
    """When the app stops waiting in any case; None: it waits until the reason has passed."""

    def is_trouble(self, now: datetime) -> bool:
        """Whether a person must look: the reason has not passed for long, and nothing ends it."""
        return self.ends is None and now - self.since > TROUBLE_AFTER


@dataclass(frozen=True, slots=True)
class Attempts:
    """The runs of one delivery. A redelivery begins with none."""

    etag: str = ""
    """The version of the output that was audited last."""
    begun: int = 0
    """How many audits of this version have begun and not ended."""
    last_end: str = ""
    """Why the last of them gave no verdict; empty when its process died before it could say so."""
    waits: Mapping[str, datetime] = field(default_factory=dict)
    """Since when the manifest waits, by what it waits for; for waits that end."""
    postponement: Postponement | None = None
    pending: tuple[str, ...] = ()
    """Names of the routes to which the record's manifest must still be sent. If there are any, the
    manifest is decided: nothing is audited any more."""

    def audit_begun(self, etag: str) -> "Attempts":
        """Count an audit. The count of an earlier version of the output is dropped."""
        if etag != self.etag:
            return replace(self, etag=etag, begun=1, last_end="")
        return replace(self, begun=self.begun + 1)

    def audit_ended(self, etag: str) -> "Attempts":
        """An audit of this version has ended, or failed for a reason that is not the output."""
        ends = etag == self.etag and self.begun > 0
        return replace(self, begun=self.begun - 1) if ends else self

    def audit_unfinished(self, reason: str) -> "Attempts":
        """An audit gave no verdict, and stays counted."""
        return replace(self, last_end=reason[:MAX_REASON])

    def postponed(
        self,
        reason: str,
        now: datetime,
        *,
        before: int,
        ends: datetime | None = None,
        waits: Mapping[str, datetime] | None = None,
        is_route: bool = False,
    ) -> "Attempts":
        """The delivery is tried again later.

        Args:
            reason: why; shortened to `MAX_REASON` characters.
            before: how often the delivery was postponed when this run began. Runs side by side
                count as one.
            now: the present time.
            ends: when the app stops waiting in any case.
            waits: the beginning of the wait, by what it is for.
            is_route: whether only sending has failed.

        """
        last = self.postponement
        times = max(last.times if last else 0, before + 1)
        wait: timedelta = FIRST_WAIT * 2 ** min(times - 1, 20)
        is_slow = is_route and last is not None and now - last.since > SLOW_AFTER
        until = now + min(wait, SLOW_WAIT if is_slow else LONGEST_WAIT)
        return replace(
            self,
            waits={
                **self.waits,
                **{word: min(at, self.waits.get(word, at)) for word, at in (waits or {}).items()},
            },
            postponement=Postponement(
                since=min(last.since, now) if last else now,
                times=times,
                reason=reason[:MAX_REASON],
                until=min(until, ends or until),
                ends=ends,
            ),
        )
