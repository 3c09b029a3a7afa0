"""Records that a person edited or a newer version wrote: one line each, and nobody else harmed."""

import json
from contextlib import suppress
from datetime import timedelta
from typing import Any

import pytest

from gem_core.errors import RecordUnreadable
from gem_core.flows.check_jobs import check_jobs
from gem_core.flows.deliver_results import deliver_results
from gem_core.flows.find_trouble import find_trouble
from gem_core.flows.list_jobs import list_jobs
from gem_core.flows.manage_jobs import show_job
from gem_core.flows.timer_status import timer_status
from gem_core.outcome import Outcome
from gem_core.watch.discovery import NAME as DISCOVERY
from gem_core.watch.discovery import Discovery
from gem_core.watch.heartbeat import ENDED, STARTED
from gem_core.watch.record import Settlement, Stage
from gem_core.watch.record_json import record_to_json
from gem_core.watch.registry import SUFFIX
from gem_core.watch.schedule import EXPIRED_AFTER_ANSWERS
from tests.builders import JOB, OUTPUT, World, answer, finished, job, logged, matched_file
from tests.builders import new_record as watched
from tests.fakes import START
from tests.flows.build import delivered, settled

GOOD = watched().answered(job("running", progress=40), START)
ATTEMPTS: dict[str, Any] = {
    "redeliveredAt": None, "etag": "0x1", "begun": 1, "waits": {}, "postponement": None,
}  # fmt: skip
POSTPONED = {"since": START.isoformat(), "times": 1, "reason": "x", "until": START.isoformat()}
CHANGES: dict[str, dict[str, Any]] = {
    "tickets is a text": {"tickets": "1"},
    "tickets is negative": {"tickets": -1},
    "tickets is true": {"tickets": True},
    "failures is null": {"failures": None},
    "failures is a text": {"failures": "2"},
    "checks are half": {"timesChecked": 1.5},
    "checks beyond any count": {"timesChecked": 10**300},
    "404s are a list": {"notFound": []},
    "a time without a zone": {"dueAt": "2026-01-20T10:00:00"},
    "a time that is a number": {"dueAt": 1768903200},
    "a time that is no time": {"registeredAt": "yesterday"},
    "a time before the calendar": {"registeredAt": "0001-01-01T00:00:00+14:00"},
    "a time at its end": {"registeredAt": "9999-12-31T23:59:59+00:00"},
    "a time that is a list": {"checkedAt": ["2026-01-20T10:00:00+00:00"]},
    "labels are a list": {"labels": ["a"]},
    "a label is a number": {"labels": {"team": 7}},
    "half of a surrogate pair": {"labels": {"team": "\ud800"}},
    "history is null": {"history": None},
    "history has texts": {"history": ["running"]},
    "a status is a number": {"history": [{"at": START.isoformat(), "status": 3}]},
    "progress is a text": {"progress": [{"at": START.isoformat(), "percent": "40"}]},
    "progress is no number": {"progress": [{"at": START.isoformat(), "percent": float("nan")}]},
    "the problem is an object": {"lastProblem": {}},
    "the answer is a text": {"lastAnswer": "finished"},
    "the contract is a number": {"contract": 2},
    "the id of another job": {"jobRunId": "good"},
    "no id": {"jobRunId": None},
    "attempts are a text": {"attempts": "none"},
    "audits begun are a text": {"attempts": ATTEMPTS | {"begun": "1"}},
    "a wait without a zone": {"attempts": ATTEMPTS | {"waits": {"input": "2026-01-20T10:00"}}},
    "a postponement without its end": {"attempts": ATTEMPTS | {"postponement": POSTPONED}},
    "another schema": {"schemaVersion": 2},
    "a newer stage": {"stage": "archived"},
    "a newer settlement": {"settlement": "superseded"},
    "a newer outcome": {"outcome": "partly_valid"},
    "a member of a newer version is no number": {"newer": float("nan")},
    "a member of a newer version is endless": {"newer": [float("inf")]},
}
BODIES = {
    **{name: json.dumps(record_to_json(GOOD) | change) for name, change in CHANGES.items()},
    "not JSON": "{",
    "no object": "[]",
    "empty": "",
    "deep": "[" * 100_000,
    "a number without end": json.dumps(record_to_json(GOOD) | {"newer": "?"}).replace(
        '"?"', "1e999"
    ),
}
RAW = {
    "half of a surrogate pair as bytes": json.dumps(
        record_to_json(GOOD) | {"newer": "\ud800"}, ensure_ascii=False
    ).encode(errors="surrogatepass"),
}
"""Python's own reader accepts it, and it could not be written again."""
ODD_MOMENTS = (
    "0001-01-01T00:00:00+14:00",
    "9999-12-31T23:59:59-14:00",
    "9999-12-31T23:59:59+00:00",
)
"""Each is ISO 8601, and beyond the calendar in UTC or after one more day."""
HOURS = 3


def world_with(*bodies: str | bytes) -> World:
    """Bad records, and a good job that is about to finish."""
    world = World()
    world.files.write(OUTPUT, matched_file())
    world.add(JOB)
    world.gem.answers[JOB] = [finished()]
    for number, body in enumerate(bodies):
        world.add(f"bad-{number}")
        world.gem.answers[f"bad-{number}"] = [answer("running")]
        raw = body.encode() if isinstance(body, str) else body
        named = raw.replace(f'"{JOB}"'.encode(), f'"bad-{number}"'.encode())
        world.jobs.put(f"bad-{number}{SUFFIX}", named)
    world.worklist.put("jobs/good", b"", metadata={})
    return world


def test_bad_records_are_one_line_an_hour_and_harm_nobody(caplog: pytest.LogCaptureFixture) -> None:
    world = world_with(*BODIES.values(), *RAW.values())
    bad = {f"bad-{number}" for number in range(len(BODIES) + len(RAW))}
    before = {name: world.jobs.get(f"{name}{SUFFIX}") for name in bad}
    for _ in range(60 * HOURS):
        check_jobs(world.checker)
        for ticket in world.new_tickets():
            deliver_results(world.deliverer, ticket)
        world.clock.move(minutes=1)
    assert world.record().stage is Stage.DELIVERED
    assert set(world.gem.asked) == {JOB}
    assert {name: world.jobs.get(f"{name}{SUFFIX}") for name in bad} == before
    lines = [line["job_run_id"] for line in logged(caplog, "record_unreadable")]
    assert {name: lines.count(name) for name in bad} == dict.fromkeys(bad, HOURS)
    assert not logged(caplog, "job_check_crashed")
    found = find_trouble(world.manager)
    assert {each["jobRunId"]: each["trouble"] for each in found} == dict.fromkeys(bad, "unreadable")
    assert len(list_jobs(world.manager, {})["jobs"]) == len(bad) + 1


@pytest.mark.parametrize("body", [*BODIES.values(), *RAW.values()], ids=[*BODIES, *RAW])
def test_a_bad_record_is_an_error_of_its_own_job(body: str | bytes) -> None:
    world = world_with(body)
    for story in (
        lambda: show_job(world.manager, "bad-0"),
        lambda: deliver_results(world.deliverer, "bad-0"),
    ):
        with pytest.raises(RecordUnreadable):
            story()


@pytest.mark.parametrize("name", [ENDED, STARTED])
@pytest.mark.parametrize(
    "body", ["{", "[]", '{"startedAt": 5, "endedAt": 5}', '{"startedAt": "x", "endedAt": [1]}']
)
def test_an_edited_tick_stops_neither_ticks_nor_status(name: str, body: str) -> None:
    world = world_with()
    world.worklist.put(name, body.encode())
    with suppress(KeyError):
        assert timer_status(world.manager)[1]["status"] == "silent"
    assert check_jobs(world.checker).settled == 1
    assert timer_status(world.manager)[1]["status"] == "ok"


@pytest.mark.parametrize("moment", ODD_MOMENTS)
@pytest.mark.parametrize("name", ["startedAt", "unfinishedSince", "identitySince", "endedAt"])
@pytest.mark.parametrize("document", [ENDED, STARTED])
def test_a_time_beyond_the_calendar_stops_neither_ticks_nor_status(
    document: str, name: str, moment: str
) -> None:
    world = world_with()
    check_jobs(world.checker)
    stored = world.worklist.get(document)
    assert stored
    world.worklist.put(document, json.dumps(json.loads(stored.body) | {name: moment}).encode())
    timer_status(world.manager)
    world.clock.move(minutes=1)
    check_jobs(world.checker)
    assert timer_status(world.manager)[1]["status"] == "ok"


@pytest.mark.parametrize("moment", ODD_MOMENTS)
@pytest.mark.parametrize("name", ["due", "marked", "since"])
def test_a_marker_with_a_time_beyond_the_calendar_is_checked(name: str, moment: str) -> None:
    world = world_with()
    world.worklist.put(f"jobs/{JOB}", b"", metadata={"state": "fine", name: moment})
    assert check_jobs(world.checker).settled == 1


@pytest.mark.parametrize(
    "body", ["[" * 100_000, "[]", *(json.dumps({"askedAt": moment}) for moment in ODD_MOMENTS)]
)
def test_an_edited_discovery_stops_no_tick(body: str) -> None:
    world = world_with()
    world.discovery = Discovery(
        world.worklist, ("roads",), max_age=timedelta(days=1), every=timedelta(minutes=10)
    )
    world.worklist.put(DISCOVERY, body.encode())
    assert check_jobs(world.checker).settled == 1
    assert world.gem.asked[-1].startswith("list in ")


def test_a_tick_that_ended_with_no_number_is_none() -> None:
    """`GET /api/status` shows the last tick as it is stored."""
    world = world_with()
    check_jobs(world.checker)
    world.worklist.put(ENDED, b'{"endedAt": "2026-01-20T10:00:00+00:00", "checked": NaN}')
    assert timer_status(world.manager)[1]["lastTick"] is None


def incomplete(world: World, **members: object) -> None:
    """A record as this app never writes it."""
    held = world.jobs.get(f"{JOB}.json")
    assert held
    world.jobs.put(held.name, json.dumps(json.loads(held.body) | members).encode())


@pytest.mark.parametrize(
    ("members", "words"),
    [
        ({"settlement": None}, "does not say how"),
        ({"lastAnswer": None, "contract": None}, "no answer of GEM"),
    ],
)
def test_a_record_that_lacks_what_a_delivery_needs_is_watched_again(
    members: dict[str, object], words: str, caplog: pytest.LogCaptureFixture
) -> None:
    """It ends in a manifest, and the drift is told once."""
    world = settled()
    incomplete(world, **members)
    assert deliver_results(world.deliverer, JOB) is None
    record = world.record()
    assert (record.stage, record.settlement) == (Stage.WATCHING, None)
    assert world.marked()
    assert words in (record.last_problem or "")
    check_jobs(world.checker)
    assert world.record().settlement is Settlement.FINISHED
    assert delivered(world)["data"]["outcome"] == Outcome.VALID
    (line,) = logged(caplog, "job_drifted")
    assert words in line["drift"][0]


def test_a_record_that_lacks_its_end_ends_with_the_deadline() -> None:
    world = settled(answer("failed"))
    incomplete(world, settlement=None)
    world.gem.answers[JOB] = [answer("running")]
    deliver_results(world.deliverer, JOB)
    world.clock.move(world.policy.job_deadline)
    for _ in range(EXPIRED_AFTER_ANSWERS):
        check_jobs(world.checker)
        world.clock.move(world.policy.check_max)
    assert delivered(world)["data"]["outcome"] == Outcome.EXPIRED
