"""The stored ticks show whether the timer works."""

import json
from datetime import timedelta

import pytest

from gem_core.moments import moment_text
from gem_core.settings.ncrontab import Schedule
from gem_core.watch.heartbeat import ENDED, STARTED, Heartbeat, Started, Tick, is_silent
from tests.builders import World
from tests.fakes import START, MemoryDocuments

MINUTELY = "0 * * * * *"
TWO_MINUTES = timedelta(minutes=2)


@pytest.mark.parametrize(
    ("schedule", "after", "silent"),
    [
        (MINUTELY, timedelta(0), False),
        (MINUTELY, timedelta(minutes=3), False),
        (MINUTELY, timedelta(minutes=3, microseconds=1), True),
        ("*/15 * * * * *", TWO_MINUTES + timedelta(seconds=15), False),
        ("*/15 * * * * *", TWO_MINUTES + timedelta(seconds=16), True),
        ("* * * * * *", TWO_MINUTES + timedelta(seconds=1), False),
        ("* * * * * *", TWO_MINUTES + timedelta(seconds=2), True),
        ("0 0 9 13 * FRI", timedelta(days=296), False),
        (MINUTELY, timedelta(minutes=-10), False),
        (MINUTELY, timedelta(hours=-2), True),
        ("0 0 8 * * 1-5", timedelta(days=2, hours=21), False),
        ("0 0 8 * * 1-5", timedelta(days=2, hours=23), True),
    ],
)
def test_a_timer_is_silent_after_three_missed_occurrences_and_a_handover(
    schedule: str, after: timedelta, *, silent: bool
) -> None:
    assert is_silent(START, START + after, Schedule.parse(schedule)) is silent


def test_a_timer_without_any_tick_is_silent() -> None:
    assert is_silent(None, START, Schedule.parse(MINUTELY))


def test_before_the_first_tick_there_is_nothing_to_read() -> None:
    heartbeat = Heartbeat(MemoryDocuments())
    assert heartbeat.last() is None
    assert heartbeat.started() is None


def test_the_last_tick_is_stored_as_json() -> None:
    documents = MemoryDocuments()
    heartbeat = Heartbeat(documents)
    heartbeat.end(Tick(START, ended_at=START + timedelta(seconds=2), open_jobs=3, stopped="no key"))
    heartbeat.start(START + timedelta(minutes=1))
    assert heartbeat.last() == {
        "startedAt": "2026-01-20T10:00:00+00:00",
        "endedAt": "2026-01-20T10:00:02+00:00",
        "openJobs": 3,
        "dueJobs": 0,
        "checked": 0,
        "settled": 0,
        "ticketsRepeated": 0,
        "problems": 0,
        "notAnswered": 0,
        "unreadable": 0,
        "remaining": 0,
        "handedOut": 0,
        "oldestDueAt": None,
        "oldestRemainingAt": None,
        "poisonMessages": None,
        "oldestPoisonAt": None,
        "stopped": "no key",
    }
    at = START + timedelta(minutes=1)
    assert heartbeat.started() == Started(at, at)
    assert documents.names() == [ENDED, STARTED]


@pytest.mark.parametrize("processes", [1, 2, 9])
def test_the_last_ticks_are_kept_whichever_process_ran_them(processes: int) -> None:
    documents = MemoryDocuments()
    heartbeats = [Heartbeat(documents) for _ in range(processes)]
    starts = [START + timedelta(minutes=minute) for minute in range(9)]
    for number, at in enumerate(starts):
        heartbeat = heartbeats[number % processes]
        heartbeat.start(at)
        heartbeat.end(Tick(at, ended_at=at + timedelta(seconds=number)))
    kept = [each["startedAt"] for each in Heartbeat(documents).ended()]
    assert kept == [moment_text(at) for at in reversed(starts[-5:])]


def test_a_document_of_an_older_version_has_one_tick() -> None:
    documents = MemoryDocuments()
    older = {"startedAt": moment_text(START)}
    for before in ({}, {"before": 5}, {"before": [5, None]}):
        documents.put(ENDED, json.dumps(older | before).encode())
        assert Heartbeat(documents).ended() == (older,)


def test_the_heartbeat_is_not_part_of_the_worklist() -> None:
    world = World()
    world.heartbeat.start(START)
    world.heartbeat.end(Tick(START))
    world.add("job-1")
    assert [job.job_run_id for job in world.registry.open_jobs()] == ["job-1"]


@pytest.mark.parametrize("new_process", [True, False])
def test_unfinished_since_is_the_start_of_the_first_unfinished_tick(*, new_process: bool) -> None:
    documents = MemoryDocuments()
    heartbeat = Heartbeat(documents)
    for minute in range(4):
        heartbeat = Heartbeat(documents) if new_process else heartbeat
        heartbeat.start(START + timedelta(minutes=minute))
    last = START + timedelta(minutes=3)
    assert heartbeat.started() == Started(last, START)
    heartbeat.end(Tick(last, ended_at=last))
    heartbeat = Heartbeat(documents) if new_process else heartbeat
    heartbeat.start(at := START + timedelta(minutes=4))
    assert heartbeat.started() == Started(at, at)


@pytest.mark.parametrize(
    "body", [b"", b"[]", b"{}", b'{"startedAt": "then"}', b'{"startedAt": 1}', b"\xff"]
)
@pytest.mark.parametrize("name", [ENDED, STARTED])
def test_an_unreadable_document_does_not_stop_a_tick(name: str, body: bytes) -> None:
    documents = MemoryDocuments()
    Heartbeat(documents).start(START)
    documents.put(name, body)
    heartbeat = Heartbeat(documents)
    heartbeat.start(START)
    assert heartbeat.started() == Started(START, START)
