"""What is stored before it is sent: report, page, event. The first event of an id stands.

An event that is in the outbox is sent until the queue has it; a repeat sends the same bytes.
"""

import json
from collections.abc import Mapping
from typing import Any

from gem_core.deliver.cloud_event import CloudEvent
from gem_core.errors import RecordConflict
from gem_core.storage.documents import Documents


class Outbox:
    """Stored events, of whatever type, and the reports that they are made from."""

    def __init__(self, *, events: Documents, reports: Documents) -> None:
        self._events = events
        self._reports = reports

    def get(self, job_run_id: str, *ids: str) -> CloudEvent | None:
        """The event of the first of these ids that is stored, or None when none of them is."""
        for id_ in ids:
            if held := self._events.get(_event_name(job_run_id, id_)):
                return CloudEvent(id_, held.body.decode())
        return None

    def keep(self, job_run_id: str, event: CloudEvent) -> CloudEvent:
        """Store an event before it is sent; gives the one that stands under its id."""
        while True:
            try:
                self._events.create(_event_name(job_run_id, event.id), event.body.encode())
            except RecordConflict:
                if held := self.get(job_run_id, event.id):
                    return held
                # The job was forgotten just now, its events too: nothing stands any more.
            else:
                return event

    def forget(self, job_run_id: str) -> None:
        """Remove all events of a job; its reports stay, since messages link to them."""
        for item in self._events.every(prefix=f"{job_run_id}/"):
            self._events.delete(item.name)

    def keep_report(self, job_run_id: str, report: Mapping[str, Any]) -> bool:
        """Store the report of an event, before the event; False when there is one of its id.

        Args:
            job_run_id: GEM's id.
            report: the event with nothing cut.

        """
        try:
            self._reports.create(_report_name(job_run_id, report["id"]), _report_body(report))
        except RecordConflict:
            return False
        return True

    def replace_report(self, job_run_id: str, report: Mapping[str, Any]) -> None:
        """Store the report of an event in place of the one of the same id."""
        self._reports.put(_report_name(job_run_id, report["id"]), _report_body(report))

    def keep_page(self, job_run_id: str, id_: str, page: str) -> None:
        """Store the report of that id as an HTML page too."""
        self._reports.put(_page_name(job_run_id, id_), page.encode(errors="replace"))

    def report_url(self, job_run_id: str, id_: str) -> str:
        """Where the report of that id is, or will be."""
        return self._reports.url(_report_name(job_run_id, id_))

    def report(self, job_run_id: str, id_: str) -> bytes | None:
        """The report of that id as JSON, or None when there is none."""
        held = self._reports.get(_report_name(job_run_id, id_))
        return held.body if held else None

    def page(self, job_run_id: str, id_: str) -> bytes | None:
        """The report of that id as an HTML page, or None when there is none."""
        held = self._reports.get(_page_name(job_run_id, id_))
        return held.body if held else None


def _event_name(job_run_id: str, id_: str) -> str:
    return f"{job_run_id}/{id_}.json"


def _report_name(job_run_id: str, id_: str) -> str:
    return f"{job_run_id}/{id_}/report.json"


def _page_name(job_run_id: str, id_: str) -> str:
    return f"{job_run_id}/{id_}/report.html"


def _report_body(report: Mapping[str, Any]) -> bytes:
    return json.dumps(report, indent=1).encode()
