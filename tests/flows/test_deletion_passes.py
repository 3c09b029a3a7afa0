"""A pass of deletions goes on whatever fails or dies, and deletes nothing else."""

from datetime import timedelta
from typing import Any

import pytest

from gem_core.errors import PageUnknown, StoreError
from gem_core.flows.check_jobs import check_jobs
from gem_core.storage.documents import Page
from gem_core.watch.retention import NAME
from tests.builders import JOB, World, logged
from tests.fakes import Killed, MemoryDocuments, Trap
from tests.flows.retained import DAY, KEEP, a_pass, keeping, left, with_jobs


def test_what_is_not_the_apps_stays() -> None:
    world = keeping(World())
    for store in (world.jobs, world.tickets, world.reports, world.manifests):
        store.put("_doctor/1", b"")
        store.put("notes.txt", b"")
    before = {name: set(names) for name, names in left(world).items()}
    world.clock.move(KEEP * 2)
    a_pass(world)
    kept = {name: set(names) for name, names in left(world).items()}
    assert all("_doctor/1" in names for names in kept.values())
    assert kept["gem-jobs"] == before["gem-jobs"]


@pytest.mark.parametrize("ahead", [KEEP * 2, -KEEP * 2], ids=str)
def test_a_wrong_clock_of_ours_deletes_nothing(ahead: timedelta) -> None:
    world = with_jobs(JOB)
    before = left(world)
    ours = world.clock.__class__(world.clock())
    for store in (world.jobs, world.tickets, world.reports, world.manifests, world.worklist):
        store._clock = ours  # storage's clock stays right
    world.clock.move(ahead)
    for _ in range(3):
        a_pass(world)
        ours.move(minutes=8)
    assert left(world) == before


def test_a_pass_goes_page_by_page_and_takes_a_day_until_the_next() -> None:
    world = with_jobs(*(f"job-{n}" for n in range(5)))
    keeping(world, page_size=2)
    world.clock.move(KEEP + DAY)
    a_pass(world, ticks=30)
    assert left(world) == {}
    world.trap.calls.clear()
    a_pass(world, ticks=20)
    calls = [call for call in world.trap.calls if call.startswith("gem-")]
    assert calls == ["gem-worklist.page"] or not calls


def test_a_step_without_time_is_done_again() -> None:
    world = with_jobs("job-1", "job-2")
    world.clock.move(KEEP + DAY)
    a_pass(world, ticks=1)
    check_jobs(world.checker, budget=timedelta(0))
    assert len(world.jobs.names()) == 2
    a_pass(world)
    assert left(world) == {}


def test_storage_that_fails_ends_no_tick(caplog: pytest.LogCaptureFixture) -> None:
    world = with_jobs(JOB)

    def fail() -> None:
        if world.trap.calls[-1].startswith("gem-"):
            raise StoreError("container 'gem-worklist': storage answered 503")

    world.trap.check = fail
    check_jobs(world.checker)
    assert logged(caplog, "old_not_deleted")


def test_a_document_that_cannot_be_deleted_holds_up_nothing_else(
    caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Somebody made a snapshot of it, leased it, or set a legal hold."""
    world = with_jobs("job-a", "job-b")
    delete = world.jobs.delete

    def refuse(name: str, *, etag: str | None = None) -> None:
        if name == "job-a.json":
            raise StoreError("container 'gem-jobs': storage answered SnapshotsPresent")
        delete(name, etag=etag)

    monkeypatch.setattr(world.jobs, "delete", refuse)
    world.clock.move(KEEP + DAY)
    a_pass(world)
    assert set(left(world)) == {"gem-jobs", "gem-tickets", "gem-reports", "gem-outbox"}
    assert not any("job-b" in name for names in left(world).values() for name in names)
    (line,) = logged(caplog, "old_not_deleted")
    assert (line["container"], line["failed"]) == ("gem-jobs", 1)
    assert line["reason"].endswith("SnapshotsPresent")
    monkeypatch.undo()
    world.clock.move(DAY)
    a_pass(world)
    assert left(world) == {}


@pytest.mark.parametrize("after", [False, True])
def test_the_process_may_die_at_any_call_of_a_pass(*, after: bool) -> None:
    number = 0
    while True:
        world = with_jobs(JOB)
        world.clock.move(KEEP + DAY)
        keeping(world).trap = Trap(number, after=after)
        keeping(world)
        try:
            a_pass(world)
        except Killed:
            world.trap = Trap()
            keeping(world)
            a_pass(world)
            world.clock.move(DAY)
            a_pass(world)
            assert left(world) == {}, number
            number += 1
        else:
            break
    assert number > 50


def test_an_edited_place_begins_a_new_pass() -> None:
    world = with_jobs(JOB)
    world.worklist.put(NAME, b"", metadata={"list": "gem-nothing", "next": "soon"})
    world.clock.move(KEEP + DAY)
    a_pass(world)
    assert left(world) == {}


def test_a_page_that_storage_does_not_know_any_more_begins_the_list_anew(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    world = with_jobs(JOB)
    world.clock.move(KEEP + DAY)
    world.worklist.put(NAME, b"", metadata={"list": "gem-jobs", "after": "gone"})
    page = MemoryDocuments.page

    def refusing(documents: MemoryDocuments, **options: Any) -> Page:  # noqa: ANN401 - as it is called
        if options.get("after"):
            raise PageUnknown("storage does not know this page of the listing")
        return page(documents, **options)

    monkeypatch.setattr(MemoryDocuments, "page", refusing)
    a_pass(world)
    assert left(world) == {}
