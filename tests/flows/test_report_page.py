"""The page of a report is stored beside it. If that fails, the manifest is sent all the same.

No manifest links the page, because only readers with a role can open a private blob.
"""

import json
from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from functools import partial
from typing import Any

import pytest

from gem_core.audit.reading.source import Source
from gem_core.deliver.manifest import manifest
from gem_core.deliver.outbox import Outbox
from gem_core.errors import (
    OutputChanged,
    OutputError,
    OutputMissing,
    OutputRefused,
    StoreError,
)
from gem_core.flows.deliver_results import deliver_results
from gem_core.flows.deliverer import MakePage
from gem_core.flows.manage_jobs import forget_job
from gem_core.page.make import make_page
from tests.builders import JOB, OUTPUT, World, check_manifest, finished, logged, matched_file
from tests.fakes import Killed, MemoryDocuments, Trap

MAKE: MakePage = partial(make_page, with_map=True)


def delivered(
    make: MakePage | None,
    *,
    output: bytes | None = None,
    error: OutputError | None = None,
    grace: timedelta = timedelta(minutes=30),
) -> tuple[World, dict[str, Any]]:
    """A world after one delivery, and its event."""
    world = World(output_grace=grace)
    world.files.write(OUTPUT, matched_file() if output is None else output)
    if error:
        world.files.errors[OUTPUT] = error
    world.settle(finished())
    sent = deliver_results(replace(world.deliverer, make_page=make), JOB)
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
    world, event = delivered(MAKE)
    assert b"Valid" in page_of(world, event)
    assert kinds(world) == ["report.html", "report.json"]


def test_the_manifest_does_not_link_a_private_page() -> None:
    """Storage is private; the address of the report is for readers with a role on it."""
    world, event = delivered(MAKE)
    name = f"{JOB}/{event['id']}/report.json"
    assert event["data"]["report"] == {"url": world.reports.url(name), "page": None}
    report = world.reports.get(name)
    assert report
    assert json.loads(report.body)["data"]["report"] == event["data"]["report"]


def test_the_page_is_stored_after_the_report_and_before_the_manifest() -> None:
    world = World()
    world.files.write(OUTPUT, matched_file())
    world.settle(finished())
    world.trap.calls.clear()
    deliver_results(replace(world.deliverer, make_page=reading), JOB)
    calls = [
        call for call in world.trap.calls if call.startswith(("reports", "manifests", "queue"))
    ]
    assert calls[-4:] == ["reports.create", "reports.put", "manifests.create", "queue.send"]


def test_an_output_that_is_not_parquet_has_a_page() -> None:
    world, event = delivered(MAKE, output=b"no parquet")
    assert event["data"]["outcome"] == "invalid"
    assert page_of(world, event).count(b"Invalid") > 1


def test_an_output_with_a_refused_name_has_a_page() -> None:
    world, event = delivered(MAKE, error=OutputRefused("<no name>"))
    assert event["data"]["outcome"] == "invalid"
    assert b"&lt;no name&gt;" in page_of(world, event)


def test_a_missing_output_has_no_page() -> None:
    world, event = delivered(MAKE, error=OutputMissing("gone"), grace=timedelta(0))
    assert event["data"]["outcome"] == "output_missing"
    assert kinds(world) == ["report.json"]


def test_pages_can_be_turned_off() -> None:
    world, _ = delivered(None)
    assert kinds(world) == ["report.json"]


def raising(error: Exception) -> MakePage:
    def make(*_: object) -> str:
        raise error

    return make


@pytest.mark.parametrize(
    "error", [ValueError("template"), OutputChanged("replaced"), MemoryError(), RecursionError()]
)
def test_an_error_with_the_page_does_not_stop_the_manifest(
    error: Exception, caplog: pytest.LogCaptureFixture
) -> None:
    world, event = delivered(raising(error))
    assert event["data"]["outcome"] == "valid"
    assert kinds(world) == ["report.json"]
    assert len(world.queue.sent) == 1
    (line,) = logged(caplog, "report_page_failed")
    assert (line["level"], line["reason"]) == ("WARNING", type(error).__name__)


def test_a_page_that_cannot_be_stored_does_not_stop_the_manifest(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    put: Callable[..., str] = MemoryDocuments.put

    def refuse_pages(self: MemoryDocuments, name: str, body: bytes, **options: object) -> str:
        if name.endswith(".html"):
            raise StoreError("refused")
        return put(self, name, body, **options)

    monkeypatch.setattr(MemoryDocuments, "put", refuse_pages)
    world, _ = delivered(MAKE)
    assert kinds(world) == ["report.json"]
    assert logged(caplog, "report_page_failed")


def test_after_a_death_during_the_page_the_next_delivery_makes_no_page() -> None:
    """For example, memory ran out. The same page would end the process at each later try."""

    def die(*_: object) -> str:
        raise Killed

    world = World()
    world.files.write(OUTPUT, matched_file())
    world.settle(finished())
    with pytest.raises(Killed):
        deliver_results(replace(world.deliverer, make_page=die), JOB)
    assert world.queue.sent == []
    world.clock.move(minutes=10)
    sent = deliver_results(replace(world.deliverer, make_page=die), JOB)
    assert sent
    assert kinds(world) == ["report.json"]
    report = world.outbox.report(JOB, sent.id)
    assert report
    assert json.loads(report)["time"] == check_manifest(sent.body)["time"]


def test_a_report_is_the_one_of_its_manifest_when_two_deliveries_meet() -> None:
    """One delivery has stored its report and makes the page. The other one overtakes it, and the
    first stores its event in between.
    """

    def die(*_: object) -> str:
        raise Killed

    world = World()
    world.files.write(OUTPUT, matched_file())
    world.settle(finished())
    with pytest.raises(Killed):
        deliver_results(replace(world.deliverer, make_page=die), JOB)
    (name,) = world.reports.names()
    held = world.reports.get(name)
    assert held
    first = manifest(json.loads(held.body))

    def go_on() -> None:
        if world.trap.calls[-2:-1] == ["reports.create"]:
            Outbox(events=world.manifests, reports=world.reports).keep(JOB, first)

    world.trap = Trap(check=go_on)
    world.clock.move(minutes=10)
    assert deliver_results(world.deliverer, JOB) == first
    (event,) = world.queue.events()
    report = json.loads(world.outbox.report(JOB, event["id"]) or b"")
    assert (report["time"], report["data"]["timing"]) == (event["time"], event["data"]["timing"])


def test_after_a_death_after_the_page_the_page_stays() -> None:
    """The page was made without a problem, and it is about the same output."""
    world = World()
    world.files.write(OUTPUT, matched_file())
    world.settle(finished())

    def die_once() -> None:
        if world.trap.calls[-3:] == ["reports.create", "files.source.read", "reports.put"]:
            raise Killed

    world.trap = Trap(check=die_once)
    with pytest.raises(Killed):
        deliver_results(replace(world.deliverer, make_page=reading), JOB)
    world.trap = Trap()
    sent = deliver_results(replace(world.deliverer, make_page=raising(AssertionError())), JOB)
    assert sent
    assert page_of(world, check_manifest(sent.body)) == repr(b"PAR1").encode()


def reading(_: object, output: Source | None, __: object) -> str:
    """A page that shows content of the output."""
    assert output
    return repr(output.read(0, 4))


def test_a_job_that_is_registered_again_has_a_page_again() -> None:
    world, former = delivered(MAKE)
    forget_job(world.manager, JOB)
    world.clock.move(seconds=1)
    world.settle(finished())
    sent = deliver_results(replace(world.deliverer, make_page=MAKE), JOB)
    assert sent
    event = check_manifest(sent.body)
    assert page_of(world, event)
    assert page_of(world, former)
