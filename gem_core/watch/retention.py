"""What is deleted of delivered jobs when it is older than GEM_KEEP_DAYS, and how far that is.

A pass visits six lists one after the other, a page a tick. The record goes first, which ends the
job for every endpoint; the documents that then have no record follow. So whatever dies, the next
pass finds the rest. Only storage's clock gives ages: a wrong clock of ours deletes nothing.
"""

from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from gem_core.errors import PageUnknown, RecordConflict, RequestError, StoreMissing
from gem_core.moments import moment_text, read_lenient_moment
from gem_core.storage.documents import Documents, Listed, Page
from gem_core.storage.names import FAILURES, JOBS, OUTBOX, REPORTS, TICKETS, WORKLIST
from gem_core.watch.record import Stage
from gem_core.watch.registration import parse_job_run_id
from gem_core.watch.tombstones import PREFIX, Tombstones

NAME = "retention"
"""The document in the worklist that says how far a pass is, in its metadata."""
LISTS = (JOBS, TICKETS, REPORTS, FAILURES, OUTBOX, WORKLIST)
"""In the order of a pass. Of the worklist, the tombstones."""
EVERY = timedelta(days=1)
"""From the end of a pass to the next one."""
PAGE = 1000
"""Documents of one step."""
_SUFFIX = ".json"
_MONTHS = "delivered-"
"""How the names of the lists of delivered manifests begin; they are in no folder of a job."""


@dataclass(frozen=True, slots=True)
class Place:
    """How far a pass is."""

    list_: str
    after: str
    at: datetime
    """When this was stored, by storage's clock: at the latest now."""
    etag: str


@dataclass(slots=True)
class Retention:
    """Deletes what is old. Every method raises StoreError."""

    stores: Callable[[str], Documents]
    """By the container's name."""
    keep: timedelta
    """Since the record or document changed last."""
    look_back: timedelta
    """How old a job of GEM's list may be that is discovered. A tombstone stays for so long."""
    every: timedelta = EVERY
    page_size: int = PAGE
    _not_before: datetime | None = field(default=None)
    """What this process knows of the next pass, so that most ticks read nothing."""

    def place(self, now: datetime) -> Place | None:
        """Where the next step begins; None if no pass is under way, or one begins just now."""
        if self._not_before and now < self._not_before <= now + self.every:
            return None
        worklist = self.stores(WORKLIST)
        (stored, *_) = (*worklist.page(prefix=NAME, size=1).items, None)
        with suppress(RecordConflict):
            if stored is None:
                worklist.create(NAME, b"", metadata={"list": JOBS})
                return None
            if (list_ := stored.metadata.get("list", "")) in LISTS:
                after = stored.metadata.get("after", "")
                return Place(list_, after, stored.last_modified, stored.etag)
            begins = read_lenient_moment(stored.metadata.get("next"))
            if begins and now < begins <= now + self.every:
                self._not_before = begins
            else:
                worklist.replace(NAME, b"", etag=stored.etag, metadata={"list": JOBS})
        return None

    def page(self, place: Place) -> Page:
        """The documents of this step."""
        documents = self.stores(place.list_)
        prefix = PREFIX if place.list_ == WORKLIST else ""
        try:
            return documents.page(prefix=prefix, size=self.page_size, after=place.after or None)
        except PageUnknown:
            return documents.page(prefix=prefix, size=self.page_size)
        except StoreMissing:
            if place.list_ != FAILURES:  # an older deployment made no such container
                raise
            return Page((), None)

    def go_on(self, place: Place, page: Page, now: datetime) -> None:
        """Store that this page is done. Another process may have done the same."""
        lists = LISTS[LISTS.index(place.list_) + 1 :]
        if page.next_page:
            said = {"list": place.list_, "after": page.next_page}
        else:
            said = {"list": lists[0]} if lists else {"next": moment_text(now + self.every)}
        with suppress(RecordConflict):
            self.stores(WORKLIST).replace(NAME, b"", etag=place.etag, metadata=said)

    def is_old(self, place: Place, item: Listed) -> bool:
        """Whether a document may be deleted, as far as its age and stage say."""
        lasts = self.look_back if place.list_ == WORKLIST else self.keep
        is_delivered = place.list_ != JOBS or item.metadata.get("stage") == Stage.DELIVERED
        return is_delivered and item.last_modified < place.at - lasts

    def delete(self, place: Place, item: Listed) -> bool:
        """Delete an old document unless it is in use or has changed; returns whether it went.

        The tombstone is written before its record goes. Discovery looks in the opposite order.
        """
        job_run_id = _job_of(place, item.name)
        is_left_over = place.list_ not in {JOBS, WORKLIST}
        if job_run_id is None or (is_left_over and self._is_known(job_run_id)):
            return False
        if place.list_ == JOBS:
            Tombstones(self.stores(WORKLIST)).write(job_run_id)
        try:
            self.stores(place.list_).delete(item.name, etag=item.etag)
        except RecordConflict:
            return False
        return True

    def _is_known(self, job_run_id: str) -> bool:
        """Whether the job has a record; an empty id is that of no job."""
        return bool(job_run_id) and self.stores(JOBS).etag(job_run_id + _SUFFIX) is not None


def _job_of(place: Place, name: str) -> str | None:
    """The job of a document; empty for the list of a month; None for what is not the app's."""
    if place.list_ == OUTBOX and "/" not in name and name.startswith(_MONTHS):
        return ""
    if place.list_ == WORKLIST:
        name = name.removeprefix(PREFIX)
    elif place.list_ in {JOBS, TICKETS}:
        name = name.removesuffix(_SUFFIX)
    else:
        name = name.partition("/")[0]
    try:
        return parse_job_run_id(name)
    except RequestError:
        return None
