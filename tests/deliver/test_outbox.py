"""The first event that is stored under an id is never replaced; a repeat sends the same bytes."""

import json
from typing import Any

import pytest

from gem_core.deliver.cloud_event import CloudEvent
from gem_core.storage.documents import Document
from tests.builders import JOB, World
from tests.fakes import MemoryDocuments


def event(text: str, id_: str = "id-1") -> CloudEvent:
    return CloudEvent(id_, json.dumps({"id": id_, "data": {"text": text}}, ensure_ascii=False))


def test_at_first_nothing_is_stored() -> None:
    assert World().outbox.get(JOB, "id-1") is None


@pytest.mark.parametrize("body", ["é", "{}", '{"type": "job.watched", "data": []}'])
def test_an_event_of_any_type_is_read_back_byte_for_byte(body: str) -> None:
    outbox = World().outbox
    assert outbox.keep(JOB, CloudEvent("id-1", body)) == CloudEvent("id-1", body)
    assert outbox.get(JOB, "id-1") == CloudEvent("id-1", body)


def test_the_first_stored_event_of_several_ids_is_returned() -> None:
    outbox = World().outbox
    outbox.keep(JOB, event("b", "id-2"))
    outbox.keep(f"{JOB}0", event("of another job", "id-1"))
    assert outbox.first_of(JOB, "id-1", "id-2", "id-3") == event("b", "id-2")
    assert outbox.first_of(JOB, "id-1", "id-3") is None
    outbox.keep(JOB, event("a", "id-1"))
    assert outbox.first_of(JOB, "id-1", "id-2") == event("a", "id-1")


def test_that_no_event_is_stored_is_found_out_with_one_request() -> None:
    world = World()
    assert world.outbox.first_of(JOB, "id-1", "id-2") is None
    assert world.trap.calls == ["manifests.every"]


def test_the_first_event_is_never_replaced() -> None:
    outbox = World().outbox
    outbox.keep(JOB, event("first"))
    assert outbox.keep(JOB, event("second")) == event("first")
    assert outbox.get(JOB, "id-1") == event("first")


def test_two_deliveries_at_the_same_time_send_the_same_bytes() -> None:
    # Both found nothing. After one of them looked and before it writes, the other one writes.
    world = World()
    first = World()
    first.manifests = world.manifests

    def overtake() -> None:
        if world.trap.calls == ["manifests.get"]:
            first.outbox.keep(JOB, event("other"))

    world.trap.check = overtake
    outbox = world.outbox
    assert outbox.get(JOB, "id-1") is None
    assert outbox.keep(JOB, event("mine")) == event("other")


def test_an_event_deleted_at_the_same_time_is_stored_again() -> None:
    class Vanishing(MemoryDocuments):
        def get(self, name: str) -> Document | None:
            self.delete(name)
            return super().get(name)

    world = World()
    world.manifests = Vanishing()
    world.outbox.keep(JOB, event("first"))
    assert world.outbox.keep(JOB, event("second")) == event("second")
    assert world.manifests.names() == [f"{JOB}/id-1.json"]


REPORT: dict[str, Any] = {"id": "id-1", "data": {"name": "é", "rows": [1, 2]}}


def test_a_report_is_stored_whole_at_its_address() -> None:
    world = World()
    assert world.outbox.keep_report(JOB, REPORT) is None
    held = world.reports.get(f"{JOB}/id-1/report.json")
    assert held
    assert json.loads(held.body) == REPORT
    assert world.outbox.report_url(JOB, "id-1") == world.reports.url(held.name)
    assert world.outbox.report(JOB, "id-1") == held.body


def test_the_first_report_is_never_replaced() -> None:
    outbox = World().outbox
    outbox.keep_report(JOB, REPORT)
    assert outbox.keep_report(JOB, {"id": "id-1", "data": {}}) == REPORT
    assert json.loads(outbox.report(JOB, "id-1") or b"") == REPORT


def test_a_report_deleted_at_the_same_time_is_stored_again() -> None:
    class Vanishing(MemoryDocuments):
        def get(self, name: str) -> Document | None:
            self.delete(name)
            return super().get(name)

    world = World()
    world.reports = Vanishing()
    assert world.outbox.keep_report(JOB, REPORT) is None
    assert world.outbox.keep_report(JOB, REPORT) is None
    assert world.reports.names() == [f"{JOB}/id-1/report.json"]


def test_a_page_is_stored_beside_its_report() -> None:
    world = World()
    world.outbox.keep_page(JOB, "id-1", "é\ud800")
    assert world.reports.names() == [f"{JOB}/id-1/report.html"]
    assert world.outbox.page(JOB, "id-1") == "é?".encode()


def test_forgetting_a_job_deletes_only_its_events() -> None:
    world = World()
    for job_run_id in ("job-1", "job-12"):
        world.outbox.keep(job_run_id, event("a", "id-1"))
        world.outbox.keep(job_run_id, event("b", "id-2"))
        world.outbox.keep_report(job_run_id, {"id": "id-1"})
    world.outbox.forget("job-1")
    assert world.manifests.names() == ["job-12/id-1.json", "job-12/id-2.json"]
    assert world.reports.names() == ["job-1/id-1/report.json", "job-12/id-1/report.json"]
