"""The page of a report is stored beside it. If that fails, the manifest is sent all the same.

A manifest links the page only where a setting gives the address at which readers can open it: the
blob is private.
"""

import json
from collections.abc import Callable
from contextlib import suppress
from dataclasses import replace
from datetime import timedelta
from typing import Any
from unittest.mock import Mock

import pytest

from gem_core.audit.child import in_process
from gem_core.deliver.manifest import manifest
from gem_core.deliver.outbox import Outbox
from gem_core.errors import (
    DocumentMissing,
    OutputChanged,
    OutputError,
    OutputMissing,
    OutputRefused,
    StoreError,
)
from gem_core.flows.deliver_results import deliver_results
from gem_core.flows.deliverer import PageMode
from gem_core.flows.job_documents import JobDocument, show_document
from gem_core.flows.manage_jobs import forget_job
from gem_core.watch.record import Stage
from tests.builders import (
    JOB,
    OUTPUT,
    World,
    answer,
    check_manifest,
    finished,
    logged,
    matched_file,
)
from tests.fakes import FakeClock, Killed, MemoryDocuments, Trap


def delivered(
    page: PageMode = PageMode.WITH_MAP,
    *,
    output: bytes | None = None,
    error: OutputError | None = None,
    grace: timedelta = timedelta(minutes=30),
) -> tuple[World, dict[str, Any]]:
    """A world after one delivery, and its event."""
    world = World(output_grace=grace, page=page)
    world.files.write(OUTPUT, matched_file() if output is None else output)
    if error:
        world.files.errors[OUTPUT] = error
    world.settle(finished())
    sent = deliver_results(world.deliverer, JOB)
    assert sent
    return world, check_manifest(sent.body)


def page_of(world: World, event: dict[str, Any]) -> bytes:
    page = world.outbox.page(JOB, event["id"])
    assert page
    return page


def kinds(world: World) -> list[str]:
    """The names of the documents that are stored beside each other."""
    return [name.rpartition("/")[2] for name in world.reports.names()]


def test_the_page_is_stored_beside_the_report() -> None:
    world, event = delivered()
    assert b"Valid" in page_of(world, event)
    assert kinds(world) == ["report.html", "report.json"]


def test_the_manifest_does_not_link_a_private_page() -> None:
    """Storage is private; the address of the report is for readers with a role on it."""
    world, event = delivered()
    name = f"{JOB}/{event['id']}/report.json"
    assert event["data"]["report"] == {"url": world.reports.url(name), "page": None}
    report = world.reports.get(name)
    assert report
    assert json.loads(report.body)["data"]["report"] == event["data"]["report"]


def test_the_page_is_stored_after_the_report_and_before_the_manifest() -> None:
    world = with_page()
    world.trap.calls.clear()
    deliver_results(world.deliverer, JOB)
    calls = [
        call for call in world.trap.calls if call.startswith(("reports", "manifests", "queue"))
    ]
    assert calls[-5:-1] == ["reports.create", "reports.put", "manifests.create", "queue.send"]


def test_an_output_that_is_not_parquet_has_a_page() -> None:
    world, event = delivered(output=b"no parquet")
    assert event["data"]["outcome"] == "invalid"
    assert page_of(world, event).count(b"Invalid") > 1


def test_an_output_with_a_refused_name_has_a_page() -> None:
    world, event = delivered(error=OutputRefused("<no name>"))
    assert event["data"]["outcome"] == "invalid"
    assert b"&lt;no name&gt;" in page_of(world, event)


def test_a_missing_output_has_no_page() -> None:
    world, event = delivered(error=OutputMissing("gone"), grace=timedelta(0))
    assert event["data"]["outcome"] == "output_missing"
    assert kinds(world) == ["report.json"]


def test_pages_can_be_turned_off() -> None:
    world, _ = delivered(PageMode.NONE)
    assert kinds(world) == ["report.json"]


def with_page() -> World:
    """A settled job whose report gets a page."""
    world = World(page=PageMode.WITH_MAP)
    world.files.write(OUTPUT, matched_file())
    world.settle(finished())
    return world


@pytest.mark.parametrize(
    "error", [ValueError("template"), OutputChanged("replaced"), MemoryError(), RecursionError()]
)
def test_an_error_with_the_page_does_not_stop_the_manifest(
    error: Exception, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(in_process, "make_page", Mock(side_effect=error))
    world, event = delivered()
    assert event["data"]["outcome"] == "valid"
    assert kinds(world) == ["report.json"]
    assert len(world.queue.sent) == 1
    (line,) = logged(caplog, "report_page_failed")
    assert line["level"] == "WARNING"
    known = isinstance(error, OutputChanged)
    assert line["reason"].startswith(str(error) if known else type(error).__name__)


def test_a_page_that_cannot_be_stored_does_not_stop_the_manifest(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    put: Callable[..., str] = MemoryDocuments.put

    def refuse_pages(self: MemoryDocuments, name: str, body: bytes, **options: object) -> str:
        if name.endswith(".html"):
            raise StoreError("refused")
        return put(self, name, body, **options)

    monkeypatch.setattr(MemoryDocuments, "put", refuse_pages)
    world, _ = delivered()
    assert kinds(world) == ["report.json"]
    assert logged(caplog, "report_page_failed")


def die_after(world: World, call: str) -> None:
    """Deliver, and die after the first such call since the report was stored."""

    def die() -> None:
        if world.trap.calls[-1] == call and "reports.create" in world.trap.calls:
            raise Killed

    world.trap = Trap(check=die)
    with pytest.raises(Killed):
        deliver_results(world.deliverer, JOB)
    assert world.queue.sent == []
    world.trap = Trap()


@pytest.mark.parametrize(
    ("call", "stored"),
    [("reports.create", ["report.json"]), ("reports.put", ["report.html", "report.json"])],
)
def test_after_a_death_the_first_report_stays_with_its_own_page_or_none(
    call: str, stored: list[str]
) -> None:
    """A page is never about another audit than the report beside it."""
    world = with_page()
    die_after(world, call)
    began = world.clock()
    world.clock.move(minutes=10)
    sent = deliver_results(world.deliverer, JOB)
    assert sent
    assert kinds(world) == stored
    report = world.outbox.report(JOB, sent.id)
    assert report
    assert json.loads(report)["time"] == check_manifest(sent.body)["time"] == began.isoformat()
    if page := world.outbox.page(JOB, sent.id):
        assert f"{began:%H:%M}".encode() in page


def test_a_report_is_the_one_of_its_manifest_when_two_deliveries_meet() -> None:
    """One delivery has stored its report. The other one overtakes it, and the first stores its
    event in between.
    """
    world = with_page()
    die_after(world, "reports.create")
    (name,) = world.reports.names()
    held = world.reports.get(name)
    assert held
    first = manifest(json.loads(held.body), world.routes)

    def go_on() -> None:
        if world.trap.calls[-2:-1] == ["reports.create"]:
            Outbox(events=world.manifests, reports=world.reports, failures=world.failures).keep(
                JOB, first
            )

    world.trap = Trap(check=go_on)
    world.clock.move(minutes=10)
    assert deliver_results(world.deliverer, JOB) == first
    (event,) = world.queue.events()
    report = json.loads(world.outbox.report(JOB, event["id"]) or b"")
    assert (report["time"], report["data"]["timing"]) == (event["time"], event["data"]["timing"])


@pytest.mark.parametrize("behind", [0, 5])
@pytest.mark.parametrize("dies", [False, True])
def test_no_manifest_is_sent_before_its_page_when_two_deliveries_run_at_once(
    *, dies: bool, behind: float
) -> None:
    """The second finds the report of the first, whose page is not stored yet. Its clock may be some
    seconds behind.
    """
    world = with_page()
    sent_without_page: list[bool] = []

    def overtake() -> None:
        if world.trap.calls[-1] == "reports.create":
            other = World(clock=world.clock, files=world.files, page=world.page, queue=world.queue)
            for store in ("jobs", "worklist", "tickets", "reports", "manifests"):
                setattr(other, store, getattr(world, store))
            world.trap.check = lambda: None
            other.clock = FakeClock(world.clock() - timedelta(seconds=behind))
            sent_without_page.append(deliver_results(other.deliverer, JOB) is not None)
            if dies:
                raise Killed

    world.trap = Trap(check=overtake)
    with suppress(Killed):
        deliver_results(world.deliverer, JOB)
    assert sent_without_page == [False]
    assert len(world.queue.sent) == (0 if dies else 1)
    world.clock.move(minutes=1)
    deliver_results(world.deliverer, JOB)
    assert kinds(world) == (["report.json"] if dies else ["report.html", "report.json"])
    assert world.record().stage is Stage.DELIVERED
    assert len(world.queue.sent) == 1


def test_after_a_death_after_the_manifest_its_page_stays() -> None:
    """A repeat sends the stored manifest, so it makes no page."""
    world = with_page()
    die_after(world, "manifests.create")
    sent = deliver_results(replace(world.deliverer, audit=Mock()), JOB)
    assert sent
    assert page_of(world, check_manifest(sent.body))


def test_a_job_that_is_registered_again_has_a_page_again() -> None:
    world, former = delivered()
    forget_job(world.manager, JOB)
    world.clock.move(seconds=1)
    world.settle(finished())
    sent = deliver_results(world.deliverer, JOB)
    assert sent
    event = check_manifest(sent.body)
    assert page_of(world, event)
    assert page_of(world, former)


@pytest.mark.parametrize(("page", "linked"), [(PageMode.PLAIN, True), (PageMode.NONE, False)])
def test_a_page_is_linked_where_readers_can_open_it(page: PageMode, *, linked: bool) -> None:
    """And only if there is one. The report of the same id has the same link."""
    world = World(page=page)
    world.files.write(OUTPUT, matched_file())
    world.settle(finished())
    deliverer = replace(world.deliverer, page_url="https://r.example/{jobRunId}/{id}")
    sent = deliver_results(deliverer, JOB)
    assert sent
    event = check_manifest(sent.body)
    expected = f"https://r.example/{JOB}/{event['id']}" if linked else None
    assert event["data"]["report"]["page"] == expected
    stored = world.outbox.report(JOB, event["id"])
    assert stored
    assert json.loads(stored)["data"]["report"] == event["data"]["report"]


def test_a_job_without_an_audit_has_no_page_and_is_told_why() -> None:
    world = World()
    world.settle(answer("failed"))
    deliver_results(world.deliverer, JOB)
    show_document(world.manager, JOB, JobDocument.REPORT)
    with pytest.raises(DocumentMissing, match="Only an audit makes a page"):
        show_document(world.manager, JOB, JobDocument.PAGE)
