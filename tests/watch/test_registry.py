"""Records, worklist and tickets: an open record always has a marker, whenever the process dies."""

import json
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta, timezone

import pytest

from gem_core.errors import RecordConflict, RecordUnreadable
from gem_core.outcome import Outcome
from gem_core.watch.marker import JobState, OpenJob
from gem_core.watch.record import Settlement
from gem_core.watch.registry import JobRegistry, StoredRecord, ticket_job_run_id
from tests.builders import JOB, World, job, new_record
from tests.fakes import START, Killed, Trap

SETTLED = new_record().settled(Settlement.FAILED, START).ticket_raised()
DELIVERED = SETTLED.delivered(Outcome.FAILED, "id", START)


def stored(registry: JobRegistry) -> StoredRecord:
    held = registry.get(JOB)
    assert held
    return held


def test_a_new_job_is_stored_and_on_the_worklist() -> None:
    registry = World().registry
    added = registry.add(new_record())
    assert added == stored(registry)
    assert added.record == new_record()
    (job,) = registry.open_jobs()
    assert (job, job.state) == (OpenJob(JOB, START, START, "0x2"), JobState.FINE)


def test_a_slow_registration_has_its_marker() -> None:
    # Meanwhile another process registered the job, and it was delivered and forgotten. That
    # delivery has read the marker and deletes it just after this record is written.
    world = World()
    other = JobRegistry(jobs=world.jobs, worklist=world.worklist, tickets=world.tickets)

    def close() -> None:
        if world.trap.calls[-1] == "jobs.create":
            (seen,) = other.open_jobs()
            other.unmark(JOB, etag=seen.etag)

    world.trap.check = close
    world.registry.add(new_record())
    assert world.marked()


def test_metadata_has_no_empty_value() -> None:
    world = World()
    stored = world.registry.add(new_record())
    assert stored
    assert [dict(item.metadata) for item in world.jobs.every()] == [{"stage": "watching"}]
    world.registry.replace(stored, stored.record.answered(job("running"), START))
    assert [dict(item.metadata) for item in world.jobs.every()] == [
        {"stage": "watching", "status": "running"}
    ]


def test_the_record_of_an_unknown_job_is_none() -> None:
    assert World().registry.get(JOB) is None


def test_a_registered_id_is_not_added_again() -> None:
    registry = World().registry
    registry.add(new_record())
    registry.replace(stored(registry), SETTLED)
    assert registry.add(new_record()) is None
    assert stored(registry).record == SETTLED


def test_a_record_is_replaced_only_in_the_version_that_was_read() -> None:
    registry = World().registry
    registry.add(new_record())
    old = stored(registry)
    registry.replace(old, SETTLED)
    with pytest.raises(RecordConflict):
        registry.replace(old, DELIVERED)
    assert stored(registry).record == SETTLED


def test_the_worklist_follows_the_record() -> None:
    registry = World().registry
    registry.add(new_record())
    due_at = START + timedelta(minutes=5)
    now = registry.replace(stored(registry), SETTLED.due(due_at))
    assert [line.due_at for line in registry.open_jobs()] == [due_at]
    registry.replace(now, DELIVERED)
    assert list(registry.open_jobs()) == []


def test_a_redelivery_opens_the_job_again() -> None:
    registry = World().registry
    registry.add(new_record())
    now = registry.replace(stored(registry), DELIVERED)
    registry.replace(now, DELIVERED.to_redeliver(START))
    assert [line.job_run_id for line in registry.open_jobs()] == [JOB]


def test_the_marker_of_a_forgotten_job_stays_for_the_tick() -> None:
    world = World()
    world.add(JOB)
    world.registry.remove(JOB)
    assert world.jobs.names() == []
    assert world.marked()
    world.registry.remove(JOB)


_STEPS: dict[str, Callable[[JobRegistry], object]] = {
    "add": lambda registry: registry.add(new_record()),
    "settle": lambda registry: registry.replace(stored(registry), SETTLED),
    "report": lambda registry: registry.replace(stored(registry), DELIVERED),
    "again": lambda registry: registry.replace(stored(registry), DELIVERED.to_redeliver(START)),
    "report again": lambda registry: registry.replace(stored(registry), DELIVERED),
    "remove": lambda registry: registry.remove(JOB),
}


def _life(world: World) -> None:
    for step in _STEPS.values():
        step(world.registry)


def _calls_of_a_life() -> int:
    world = World()
    _life(world)
    assert world.trap.calls.count("jobs.replace") == 4
    return len(world.trap.calls)


@pytest.mark.parametrize("after", [False, True], ids=["before", "after"])
@pytest.mark.parametrize("at", range(_calls_of_a_life()))
def test_an_open_record_has_a_marker_wherever_the_process_dies(at: int, *, after: bool) -> None:
    world = World(trap=Trap(at, after=after))
    world.trap.check = world.assert_open_records_are_marked
    with pytest.raises(Killed):
        _life(world)
    world.assert_open_records_are_marked()


def test_a_redelivery_during_the_end_of_a_delivery_keeps_its_marker() -> None:
    # The delivery has written "delivered" and is about to delete the marker. At that moment an
    # operator requests a redelivery.
    world = World()
    world.add(JOB)
    busy = [True]

    def redeliver() -> None:
        if world.trap.calls[-1] == "jobs.replace" and busy.pop():
            busy.append(False)
            other = JobRegistry(jobs=world.jobs, worklist=world.worklist, tickets=world.tickets)
            other.replace(stored(other), DELIVERED.to_redeliver(START))

    registry = world.registry
    held = stored(registry)
    world.trap.check = redeliver
    registry.replace(held, DELIVERED)
    assert busy == [False]
    world.assert_open_records_are_marked()


@pytest.mark.parametrize(
    ("text", "due_at"),
    [
        ("2026-01-20T12:00:00+02:00", START),
        ("2026-01-20T10:00:00", START),
        ("soon", datetime(1970, 1, 1, tzinfo=UTC)),
        ("", datetime(1970, 1, 1, tzinfo=UTC)),
        (None, datetime(1970, 1, 1, tzinfo=UTC)),
    ],
)
def test_a_job_with_an_unreadable_marker_is_due_at_once(text: str | None, due_at: datetime) -> None:
    world = World()
    world.worklist.put(f"jobs/{JOB}", b"", metadata={} if text is None else {"due": text})
    assert list(world.registry.open_jobs()) == [OpenJob(JOB, due_at, START, "0x1")]


def test_a_marker_is_in_utc() -> None:
    world = World()
    east = timezone(timedelta(hours=5))
    world.registry.mark_open(new_record().due(START.astimezone(east)))
    (marker,) = world.worklist.every()
    assert marker.metadata["due"] == "2026-01-20T10:00:00+00:00"


def test_an_unreadable_record_does_not_change() -> None:
    world = World()
    world.jobs.put(f"{JOB}.json", b'{"schemaVersion": 2}')
    with pytest.raises(RecordUnreadable):
        world.registry.get(JOB)
    assert world.trap.calls == ["jobs.get"]


def test_a_ticket_names_its_job_and_each_write_triggers() -> None:
    world = World()
    world.registry.raise_ticket(SETTLED)
    first = world.tickets.get(f"{JOB}.json")
    assert first
    assert json.loads(first.body) == {
        "jobRunId": JOB,
        "settlement": "failed",
        "settledAt": "2026-01-20T10:00:00+00:00",
        "tickets": 1,
    }
    world.registry.raise_ticket(SETTLED)
    second = world.tickets.get(f"{JOB}.json")
    assert second
    assert second.etag != first.etag


@pytest.mark.parametrize(
    ("blob", "job_run_id"),
    [
        ("gem-tickets/job-1.json", "job-1"),
        ("gem-tickets/a.json.json", "a.json"),
        ("gem-jobs/job-1.json", None),
        ("gem-reports/job-1/report.json", None),
        ("gem-settled/foo.txt", None),
        ("gem-tickets/job-1.txt", None),
        ("gem-tickets/deep/job-1.json", None),
        ("gem-tickets/.json", None),
        ("gem-tickets/", None),
        ("job-1.json", None),
        ("", None),
    ],
)
def test_a_ticket_is_named_after_its_job(blob: str, job_run_id: str | None) -> None:
    assert ticket_job_run_id(blob) == job_run_id


def test_a_listing_is_ordered_by_id_and_has_only_values_of_enums() -> None:
    registry = World().registry
    finished = replace(DELIVERED, job=job("finished"))
    odd = replace(SETTLED, job=job("odd\r\nX-Evil: 1"))
    for job_run_id, record in (("c", finished), ("a", new_record()), ("b", odd)):
        registry.add(replace(record, job_run_id=job_run_id))
    lines = registry.page(size=10, after=None).jobs
    assert [(line.job_run_id, line.stage, line.status, line.outcome) for line in lines] == [
        ("a", "watching", "", ""),
        ("b", "settled", "", ""),
        ("c", "delivered", "finished", "failed"),
    ]


@pytest.mark.parametrize(("status", "writes"), [("running", 2), ("queued", 1)])
def test_a_marker_is_written_again_only_when_it_would_show_something_else(
    status: str, writes: int
) -> None:
    world = World()
    added = world.registry.add(new_record().answered(job("queued"), START))
    assert added
    (line,) = world.registry.open_jobs()
    until = START + timedelta(minutes=5)
    claim = world.registry.claim(line.showing(added.record), until)
    assert claim
    world.trap.calls.clear()
    changed = added.record.answered(job(status), START).due(until)
    world.registry.replace_claimed(added, changed, claim)
    assert len(world.trap.calls) == writes
    (line,) = world.registry.open_jobs()
    assert (line.shown["status"], line.due_at) == (status, until)


def test_a_claim_keeps_what_the_marker_shows() -> None:
    world = World()
    world.registry.add(new_record().answered(job("queued"), START))
    (line,) = world.registry.open_jobs()
    assert world.registry.claim(line, START + timedelta(minutes=5))
    (claimed,) = world.registry.open_jobs()
    assert claimed.shown["status"] == "queued"
    assert claimed.due_at == START + timedelta(minutes=5)
