"""Stores the report, its page and failing rows, and the event of a delivery before it is sent.

The first event that is stored under an id is never replaced, so a repeat sends the same bytes.
"""

import hashlib
import json
from collections.abc import Iterable, Mapping
from contextlib import suppress
from typing import Any

from gem_core.deliver.cloud_event import CloudEvent
from gem_core.errors import RecordConflict
from gem_core.settings.route import DEFAULT
from gem_core.storage.documents import Document, Documents

ROUTES = "routes"
"""The metadata of an event with the names of its routes, separated by commas."""
SERVED = "served"
"""That with the routes to which it was sent. The record of a job says it of manifests."""


class Outbox:
    """Stores events of any type, and the reports that they are made from."""

    def __init__(self, *, events: Documents, reports: Documents, failures: Documents) -> None:
        self._events = events
        self._reports = reports
        self._failures = failures

    def get(self, job_run_id: str, id_: str) -> CloudEvent | None:
        """The stored event of this id; None when there is none."""
        stored = self._events.get(_event_name(job_run_id, id_))
        return CloudEvent(id_, stored.body.decode(), _routes(stored)) if stored else None

    def first_of(self, job_run_id: str, *ids: str) -> CloudEvent | None:
        """The stored event of the first of these ids that has one; None when none has.

        Usually none has, and a listing of the job's events shows it in one request.
        """
        listed = {item.name for item in self._events.every(prefix=f"{job_run_id}/")}
        known = (id_ for id_ in ids if _event_name(job_run_id, id_) in listed)
        return next(filter(None, (self.get(job_run_id, id_) for id_ in known)), None)

    def keep(self, job_run_id: str, event: CloudEvent) -> CloudEvent:
        """Store an event before it is sent; returns the event that is stored under its id."""
        while True:
            try:
                self._events.create(
                    _event_name(job_run_id, event.id), event.body.encode(), metadata=_words(event)
                )
            except RecordConflict:
                if stored := self.get(job_run_id, event.id):
                    return stored
                # The job and its events were deleted just now, so the event is stored after all.
            else:
                return event

    def served(self, job_run_id: str, id_: str) -> tuple[str, ...]:
        """The routes of an event that are marked as served."""
        stored = self._events.get(_event_name(job_run_id, id_))
        return _names(stored, SERVED) if stored else ()

    def mark_served(self, job_run_id: str, id_: str, routes: Iterable[str]) -> None:
        """Mark routes of an event as served. The event itself stays as it is."""
        while stored := self._events.get(_event_name(job_run_id, id_)):
            names = dict.fromkeys((*_names(stored, SERVED), *routes))
            metadata = {**stored.metadata, SERVED: ",".join(names)}
            with suppress(RecordConflict):  # another run marked it just now
                self._events.replace(stored.name, stored.body, etag=stored.etag, metadata=metadata)
                return

    def add_delivered(self, month: str, line: bytes) -> None:
        """Add a line to the list of the manifests that were sent in a month, such as "2026-11"."""
        self._events.append(_delivered_name(month), line)

    def delivered(self, month: str) -> bytes:
        """The lines of a month, in the order of sending; empty when there is none."""
        stored = self._events.get(_delivered_name(month))
        return stored.body if stored else b""

    def forget(self, job_run_id: str) -> None:
        """Delete all events of a job.

        Its reports and failing rows stay, because messages have their addresses.
        """
        for item in self._events.every(prefix=f"{job_run_id}/"):
            self._events.delete(item.name)

    def keep_report(self, job_run_id: str, report: Mapping[str, Any]) -> Mapping[str, Any] | None:
        """Store the report of an event, before the event.

        Args:
            job_run_id: GEM's id of the job.
            report: the whole event.

        Returns:
            None, or the report that another delivery stored first under this id; it stays.

        """
        while True:
            try:
                self._reports.create(
                    _report_name(job_run_id, report["id"]), json.dumps(report, indent=1).encode()
                )
            except RecordConflict:
                if stored := self.report(job_run_id, report["id"]):
                    first: Mapping[str, Any] = json.loads(stored)
                    return first
                # The report was deleted just now, so this one is stored after all.
            else:
                return None

    def keep_failures(self, job_run_id: str, id_: str, file: bytes) -> str:
        """Store the failing rows of an audit, before the report that has their address.

        The name has a digest of the rows. So an address leads to the rows of that audit for ever:
        another audit with this id, whose report is not kept, cannot replace them.

        Returns:
            The address.

        """
        digest = hashlib.sha256(file).hexdigest()[:16]
        name = f"{job_run_id}/{id_}/failures-{digest}.parquet"
        with suppress(RecordConflict):  # these very rows are stored already
            self._failures.create(name, file)
        return self._failures.url(name)

    def keep_page(self, job_run_id: str, id_: str, page: str) -> None:
        """Store the HTML page of a report."""
        self._reports.put(_page_name(job_run_id, id_), page.encode(errors="replace"))

    def report_url(self, job_run_id: str, id_: str) -> str:
        """The address at which the report of this id is stored, or will be."""
        return self._reports.url(_report_name(job_run_id, id_))

    def report(self, job_run_id: str, id_: str) -> bytes | None:
        """The report of this id as JSON; None when it is not stored."""
        stored = self._reports.get(_report_name(job_run_id, id_))
        return stored.body if stored else None

    def page(self, job_run_id: str, id_: str) -> bytes | None:
        """The report of this id as an HTML page; None when it is not stored."""
        stored = self._reports.get(_page_name(job_run_id, id_))
        return stored.body if stored else None


def _routes(stored: Document) -> tuple[str, ...]:
    return _names(stored, ROUTES) or (DEFAULT,)


def _names(stored: Document, word: str) -> tuple[str, ...]:
    names = stored.metadata.get(word)
    return tuple(names.split(",")) if names else ()


def _words(event: CloudEvent) -> dict[str, str]:
    """The metadata of an event. Older versions wrote none, and sent to the default queue."""
    return {} if event.routes == (DEFAULT,) else {ROUTES: ",".join(event.routes)}


def _event_name(job_run_id: str, id_: str) -> str:
    return f"{job_run_id}/{id_}.json"


def _delivered_name(month: str) -> str:
    return f"delivered-{month}.jsonl"


def _report_name(job_run_id: str, id_: str) -> str:
    return f"{job_run_id}/{id_}/report.json"


def _page_name(job_run_id: str, id_: str) -> str:
    return f"{job_run_id}/{id_}/report.html"
