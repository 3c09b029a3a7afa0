"""What is stored before it is sent: report and page, then manifest. The first of a kind stands.

A manifest that is in the outbox is sent until the queue has it; a repeat sends the same bytes.
"""

import json
from collections.abc import Mapping
from datetime import datetime
from typing import Any

from gem_core.deliver.manifest import Manifest
from gem_core.errors import RecordConflict
from gem_core.moments import moment_text, read_moment
from gem_core.outcome import Outcome
from gem_core.storage.documents import Documents


class Outbox:
    """Stored manifests and their reports."""

    def __init__(self, *, manifests: Documents, reports: Documents) -> None:
        self._manifests = manifests
        self._reports = reports

    def get(self, job_run_id: str, id_: str) -> Manifest | None:
        """The manifest of that id, or None when none was stored yet."""
        held = self._manifests.get(_manifest_name(job_run_id, id_))
        if held is None:
            return None
        body = held.body.decode()
        return Manifest(id_, Outcome(json.loads(body)["data"]["outcome"]), body)

    def report_url(self, job_run_id: str, id_: str) -> str:
        """Where the report of that id lies."""
        return self._reports.url(_report_name(job_run_id, id_))

    def report(self, job_run_id: str, id_: str) -> bytes | None:
        """The report of that id as JSON, or None when there is none."""
        held = self._reports.get(_report_name(job_run_id, id_))
        return held.body if held else None

    def page(self, job_run_id: str, id_: str) -> bytes | None:
        """The report of that id as a page, or None when there is none."""
        held = self._reports.get(_page_name(job_run_id, id_))
        return held.body if held else None

    def keep_report(self, job_run_id: str, event: Mapping[str, Any]) -> bool:
        """Store the whole event, before its manifest; whether it is the first of its id."""
        body = json.dumps(event, indent=1).encode()
        name = _report_name(job_run_id, event["id"])
        try:
            self._reports.create(name, body)
        except RecordConflict:
            self._reports.put(name, body)
            return False
        return True

    def keep_page(self, job_run_id: str, id_: str, page: str) -> str:
        """Store the report as a page, beside the report of that id; gives its address."""
        name = _page_name(job_run_id, id_)
        self._reports.put(name, page.encode(errors="replace"))
        return self._reports.url(name)

    def page_url(self, job_run_id: str, id_: str) -> str | None:
        """Where the report of that id lies as a page; None when there is none."""
        name = _page_name(job_run_id, id_)
        return self._reports.url(name) if self._reports.get(name) else None

    def keep(self, job_run_id: str, manifest: Manifest) -> Manifest:
        """Store a manifest before it is sent; gives the one that stands under its id."""
        name = _manifest_name(job_run_id, manifest.id)
        while True:
            try:
                self._manifests.create(name, manifest.body.encode())
            except RecordConflict:
                if held := self.get(job_run_id, manifest.id):
                    return held
                # The job was forgotten just now, its manifests too: nothing stands any more.
            else:
                return manifest

    def begin(self, job_run_id: str, id_: str) -> int:
        """Count one more audit for a manifest; how many have begun without an end, this one too."""
        begun = self._begun(job_run_id, id_) + 1
        self._manifests.put(_begun_name(job_run_id, id_), str(begun).encode())
        return begun

    def end(self, job_run_id: str, id_: str) -> None:
        """An audit has ended, well or not: it does not count, those that never ended still do."""
        name, others = _begun_name(job_run_id, id_), self._begun(job_run_id, id_) - 1
        if others > 0:
            self._manifests.put(name, str(others).encode())
        else:
            self._manifests.delete(name)

    def _begun(self, job_run_id: str, id_: str) -> int:
        held = self._manifests.get(_begun_name(job_run_id, id_))
        return int(held.body) if held else 0

    def waits_since(self, job_run_id: str, id_: str, now: datetime) -> datetime:
        """Since when a manifest is held back by trouble that may pass: now, when this is new."""
        name = _waits_name(job_run_id, id_)
        try:
            self._manifests.create(name, moment_text(now).encode())
        except RecordConflict:
            held = self._manifests.get(name)
            return read_moment(held.body.decode()) if held else now
        return now

    def forget(self, job_run_id: str) -> None:
        """Remove the manifests of a job; its reports stay, since messages link to them."""
        for item in self._manifests.every(prefix=f"{job_run_id}/"):
            self._manifests.delete(item.name)


def _manifest_name(job_run_id: str, id_: str) -> str:
    return f"{job_run_id}/{id_}.json"


def _begun_name(job_run_id: str, id_: str) -> str:
    return f"{job_run_id}/{id_}.begun"


def _waits_name(job_run_id: str, id_: str) -> str:
    return f"{job_run_id}/{id_}.waits"


def _report_name(job_run_id: str, id_: str) -> str:
    return f"{job_run_id}/{id_}/report.json"


def _page_name(job_run_id: str, id_: str) -> str:
    return f"{job_run_id}/{id_}/report.html"
