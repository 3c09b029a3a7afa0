"""What is stored before it is sent: the first one stands, and a repeat sends the same bytes."""

import json
from typing import Any

from gem_core.deliver.manifest import Manifest
from gem_core.outcome import Outcome
from gem_core.storage.documents import Document
from tests.builders import JOB, World
from tests.fakes import MemoryDocuments


def kept(text: str, id_: str = "id-1") -> Manifest:
    body = json.dumps({"id": id_, "data": {"outcome": "valid", "text": text}})
    return Manifest(id_, Outcome.VALID, body)


def test_nothing_is_kept_at_first() -> None:
    assert World().outbox.get(JOB, "id-1") is None


def test_a_kept_manifest_comes_back_byte_for_byte() -> None:
    outbox = World().outbox
    assert outbox.keep(JOB, kept("é")) == kept("é")
    assert outbox.get(JOB, "id-1") == kept("é")


def test_the_first_one_stands() -> None:
    outbox = World().outbox
    outbox.keep(JOB, kept("first"))
    assert outbox.keep(JOB, kept("second")) == kept("first")
    assert outbox.get(JOB, "id-1") == kept("first")


def test_two_at_once_send_the_same_bytes() -> None:
    # Both looked, both found nothing; between the look and the write of one the other writes.
    world = World()
    first = World()
    first.manifests = world.manifests

    def overtake() -> None:
        if world.trap.calls == ["manifests.get"]:
            first.outbox.keep(JOB, kept("other"))

    world.trap.check = overtake
    outbox = world.outbox
    assert outbox.get(JOB, "id-1") is None
    assert outbox.keep(JOB, kept("mine")) == kept("other")


def test_a_manifest_forgotten_meanwhile_is_stored_anew() -> None:
    class Vanishing(MemoryDocuments):
        def get(self, name: str) -> Document | None:
            self.delete(name)
            return super().get(name)

    world = World()
    world.manifests = Vanishing()
    world.outbox.keep(JOB, kept("first"))
    assert world.outbox.keep(JOB, kept("second")) == kept("second")
    assert world.manifests.names() == [f"{JOB}/id-1.json"]


def test_a_report_is_stored_whole_under_the_address_that_was_told() -> None:
    world = World()
    event: dict[str, Any] = {"id": "id-1", "data": {"name": "é", "rows": [1, 2]}}
    world.outbox.keep_report(JOB, event)
    held = world.reports.get(f"{JOB}/id-1/report.json")
    assert held
    assert json.loads(held.body) == event
    assert world.outbox.report_url(JOB, "id-1") == world.reports.url(f"{JOB}/id-1/report.json")


def test_forgetting_a_job_takes_its_manifests_only() -> None:
    world = World()
    for job_run_id in ("job-1", "job-12"):
        world.outbox.keep(job_run_id, kept("a", "id-1"))
        world.outbox.keep(job_run_id, kept("b", "id-2"))
        world.outbox.keep_report(job_run_id, {"id": "id-1"})
    world.outbox.forget("job-1")
    assert world.manifests.names() == ["job-12/id-1.json", "job-12/id-2.json"]
    assert world.reports.names() == ["job-1/id-1/report.json", "job-12/id-1/report.json"]
