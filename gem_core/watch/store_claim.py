"""The claim of one app to the state storage, so that two apps never tick on one storage.

Another identity may see 404 for jobs that GEM shows to the first one, and would call them lost. The
claim is a document beside the worklist. All instances of an app share it. A tick renews it; without
a tick it lapses after an hour.
"""

import json
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from gem_core.errors import RecordConflict, StoreClaimed
from gem_core.moments import moment_text, optional_moment_text, read_lenient_moment
from gem_core.storage.documents import Document, Documents

NAME = "claim.json"
LAPSES_AFTER = timedelta(hours=1)
RENEW_AFTER = timedelta(minutes=5)
"""A younger claim is not written again: most ticks only read it."""
NOT_LOST_FOR = timedelta(hours=6)
"""After another identity has taken the store over, no job is lost for so long: a person can see
that it is the wrong one."""


@dataclass(frozen=True, slots=True)
class Owner:
    """Who ticks."""

    app: str
    """The name of the app; empty for a command, which is a guest of the app with its identity."""
    identity: str
    """As whom it asks GEM: an address and an id, no secret."""


@dataclass(frozen=True, slots=True)
class Claim:
    """Who owns the store, and since when."""

    owner: Owner
    renewed_at: datetime
    taken_over_at: datetime | None = None
    """When this identity followed another one; None for the first."""

    def lasts(self, now: datetime) -> bool:
        """Whether the claim is in force. A time that is later than now comes from a wrong clock."""
        return now - LAPSES_AFTER < self.renewed_at <= now + RENEW_AFTER


class StoreClaim:
    """The claim as one app sees it."""

    def __init__(self, documents: Documents, owner: Owner, clock: Callable[[], datetime]) -> None:
        self._documents = documents
        self._owner = owner
        self._clock = clock

    def renew(self) -> None:
        """Claim the store, or renew the claim.

        Raises:
            StoreClaimed: another app has claimed the store.
            StoreError: the claim could not be read or written.

        """
        stored = self._documents.get(NAME)
        now, held = self._clock(), _read(stored)
        if held and held.lasts(now):
            if refusal := self._refusal(held):
                raise StoreClaimed(refusal)
            if now - held.renewed_at < RENEW_AFTER or not self._owner.app:
                return
        elif not self._owner.app and held and held.owner.identity == self._owner.identity:
            return
        is_other = held is not None and held.owner.identity != self._owner.identity
        taken_over_at = now if is_other else held.taken_over_at if held else None
        self._write(stored, Claim(self._owner, now, taken_over_at))

    def problem(self) -> str:
        """Why this app may not tick; empty if it may. Raises StoreError."""
        held = _read(self._documents.get(NAME))
        return self._refusal(held) if held and held.lasts(self._clock()) else ""

    def may_lose(self) -> bool:
        """Whether a job may be called lost: not by a stranger, nor soon after a takeover."""
        held = _read(self._documents.get(NAME))
        if held is None:
            return True
        is_new = held.taken_over_at and self._clock() - held.taken_over_at < NOT_LOST_FOR
        return held.owner.identity == self._owner.identity and not is_new

    def release(self) -> str:
        """End the claim at once; returns the app that had it, or an empty text.

        Its identity stays known, so that a takeover by another one is seen.
        """
        stored = self._documents.get(NAME)
        held = _read(stored)
        if held is None:
            return ""
        self._write(stored, replace(held, renewed_at=held.renewed_at - LAPSES_AFTER))
        return held.owner.app or held.owner.identity

    def _refusal(self, held: Claim) -> str:
        same_app = self._owner.app in {"", held.owner.app} or not held.owner.app
        if held.owner.app and self._owner.app == held.owner.app:
            return ""  # the same app with another identity: its settings were changed
        if same_app and held.owner.identity == self._owner.identity:
            return ""
        return (
            f"the app {held.owner.app or 'of a command'!r} ticks on this GEM_STATE, as "
            f"{held.owner.identity}: two apps must not share it. Use another GEM_STATE, or stop "
            "that app and run gem-courier store release (or wait an hour)"
        )

    def _write(self, stored: Document | None, claim: Claim) -> None:
        body = json.dumps(
            {
                "app": claim.owner.app,
                "identity": claim.owner.identity,
                "renewedAt": moment_text(claim.renewed_at),
                "takenOverAt": optional_moment_text(claim.taken_over_at),
            }
        ).encode()
        try:
            if stored is None:
                self._documents.create(NAME, body)
            else:
                self._documents.replace(NAME, body, etag=stored.etag)
        except RecordConflict:
            # Another instance of this app was first, or another app. The claim that stands decides.
            held = _read(self._documents.get(NAME))
            if held and (refusal := self._refusal(held)):
                raise StoreClaimed(refusal) from None


def _read(stored: Document | None) -> Claim | None:
    """The claim; None if there is none, or if somebody edited it so that it cannot be read."""
    try:
        if stored is None:
            return None
        values = json.loads(stored.body)
        renewed_at = read_lenient_moment(values["renewedAt"])
        if renewed_at is None:
            return None
        owner = Owner(str(values["app"]), str(values["identity"]))
        return Claim(owner, renewed_at, read_lenient_moment(values.get("takenOverAt")))
    except (ValueError, LookupError, TypeError, AttributeError, RecursionError):
        return None
