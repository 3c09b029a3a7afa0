"""Many jobs with one request: each has its own result, and a repeated request harms nothing."""

from threading import Barrier
from typing import Any

import pytest

from gem_core.errors import RecordConflict, RequestError, StoreError
from gem_core.flows.deliver_results import deliver_results
from gem_core.flows.in_bulk import MAX_JOBS, redeliver_jobs, register_jobs
from gem_core.flows.list_jobs import list_jobs
from gem_core.flows.manage_jobs import redeliver_job, register_job
from gem_core.moments import moment_text
from gem_core.watch.record import Stage
from tests.builders import World, answer
from tests.fakes import START


def results(shown: dict[str, Any]) -> list[tuple[str | None, str]]:
    return [(job["jobRunId"], job["result"]) for job in shown["jobs"]]


def test_each_job_of_a_list_has_its_own_result() -> None:
    world = World()
    register_job(world.manager, "known", {"labels": {"a": "1"}})
    world.jobs.put("broken.json", b"not a record")
    shown = register_jobs(
        world.manager,
        {
            "jobs": [
                {"jobRunId": "new", "labels": {"a": "b"}, "expectedInputName": "x.parquet"},
                {"jobRunId": "known", "labels": {"a": "2"}},
                {"jobRunId": "broken"},
                {"jobRunId": "../x"},
                {"jobRunId": "odd", "label": {}},
                {"jobRunId": "new"},
                {"jobRunId": 7},
                "text",
                {"jobRunId": "last"},
            ]
        },
    )
    assert results(shown) == [
        ("new", "registered"),
        ("known", "known"),
        ("broken", "failed"),
        ("../x", "not_done"),
        ("odd", "not_done"),
        ("new", "known"),
        (None, "not_done"),
        (None, "not_done"),
        ("last", "registered"),
    ]
    details = [job["detail"] for job in shown["jobs"]]
    assert [bool(detail) for detail in details] == [0, 0, 1, 1, 1, 0, 1, 1, 0]
    assert "label" in details[4]
    assert [job.get("labelsDiffer") for job in shown["jobs"]][:2] == [False, True]
    assert world.record("new").labels == {"a": "b"}
    assert world.record("new").expected_input_name == "x.parquet"
    assert world.record("known").labels == {"a": "1"}
    assert {job.job_run_id for job in world.registry.open_jobs()} == {"known", "new", "last"}


@pytest.mark.parametrize(
    "body",
    [
        None,
        [],
        [{"jobRunId": "a"}],
        {},
        {"jobs": {}},
        {"jobs": [], "labels": {}},
        {"jobs": [{"jobRunId": f"job-{number}"} for number in range(MAX_JOBS + 1)]},
    ],
)
def test_a_list_of_another_form_registers_nothing(body: object) -> None:
    world = World()
    with pytest.raises(RequestError, match=r"jobs|labels"):
        register_jobs(world.manager, body)
    assert world.trap.calls == []


def test_a_failure_of_storage_ends_the_request_which_can_be_repeated() -> None:
    world = World()
    body = {"jobs": [{"jobRunId": name} for name in "abc"]}

    def fail() -> None:
        if world.trap.calls.count("jobs.create") == 2:
            raise StoreError("storage did not answer")

    world.trap.check = fail
    with pytest.raises(StoreError):
        register_jobs(world.manager, body)
    world.trap.check = lambda: None
    assert results(register_jobs(world.manager, body))[0] == ("a", "known")
    assert [world.record(name).stage for name in "abc"] == [Stage.WATCHING] * 3


def test_jobs_are_registered_several_at_the_same_time() -> None:
    world = World(concurrency=3)
    all_three = Barrier(3, timeout=60)

    def wait_for_the_others() -> None:
        if world.trap.calls[-1] == "jobs.get":
            all_three.wait()

    world.trap.check = wait_for_the_others
    body = {"jobs": [{"jobRunId": name} for name in "cab"]}
    assert results(register_jobs(world.manager, body)) == [(name, "registered") for name in "cab"]


def test_a_job_that_is_listed_twice_is_registered_as_the_first_entry_says() -> None:
    world = World(concurrency=10)
    jobs = [{"jobRunId": "a", "labels": {"n": str(number)}} for number in range(MAX_JOBS)]
    expected = ["registered"] + ["known"] * (MAX_JOBS - 1)
    assert [
        result for _, result in results(register_jobs(world.manager, {"jobs": jobs}))
    ] == expected
    assert world.record("a").labels == {"n": "0"}


def test_no_job_is_begun_after_storage_has_failed() -> None:
    """With 100 jobs, each of which waits for storage, nobody would get an answer in time."""
    world = World()

    def fail() -> None:
        raise StoreError("storage did not answer")

    world.trap.check = fail
    with pytest.raises(StoreError):
        register_jobs(world.manager, {"jobs": [{"jobRunId": name} for name in "abc"]})
    assert world.trap.calls == ["jobs.get"]


def delivered(world: World, status: str, *names: str) -> None:
    for name in names:
        world.settle(answer(status), name)
        deliver_results(world.deliverer, name)


def selection(**members: str) -> dict[str, str]:
    return {"outcome": "failed", "changedBefore": "2026-01-21T00:00:00Z", **members}


def test_delivered_jobs_are_selected_by_outcome_and_age() -> None:
    world = World()
    delivered(world, "failed", "old")
    world.clock.move(hours=1)
    delivered(world, "failed", "a", "b")
    delivered(world, "cancelled", "c")
    delivered(world, "failed", "under-way")
    redeliver_job(world.manager, "under-way")
    world.settle(answer("failed"), "settled")
    world.clock.move(hours=1)
    delivered(world, "failed", "young")
    chosen = selection(
        changedAfter="2026-01-20T12:00:00+01:00", changedBefore="2026-01-20T12:00:00Z"
    )
    preview = list_jobs(world.manager, chosen | {"stage": "delivered"})
    shown = redeliver_jobs(world.manager, chosen)
    assert results(shown) == [("a", "redelivered"), ("b", "redelivered")]
    assert shown["nextPage"] is None
    assert [job["jobRunId"] for job in preview["jobs"]] == ["a", "b"]
    stages = {name: world.record(name).stage for name in ("old", "a", "b", "c", "young")}
    assert {name for name, stage in stages.items() if stage is Stage.SETTLED} == {"a", "b"}


def test_a_repeated_redelivery_leaves_out_what_is_done() -> None:
    world = World()
    delivered(world, "failed", "a", "b")
    world.clock.move(hours=1)
    body = selection(changedBefore=moment_text(world.clock()))
    redeliver_jobs(world.manager, body)
    assert results(redeliver_jobs(world.manager, body)) == []
    deliver_results(world.deliverer, "a")
    assert results(redeliver_jobs(world.manager, body)) == []
    first, _, again = world.queue.events()
    assert first["id"] == again["id"]


def test_a_redelivery_is_bounded_and_continues(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("gem_core.flows.in_bulk.MAX_JOBS", 2)
    world = World()
    delivered(world, "failed", *"abc")
    first = redeliver_jobs(world.manager, selection())
    second = redeliver_jobs(world.manager, selection(after=first["nextPage"]))
    assert [name for name, _ in results(first) + results(second)] == ["a", "b", "c"]
    assert second["nextPage"] is None


def test_a_job_that_changes_meanwhile_does_not_stop_the_others() -> None:
    world = World()
    delivered(world, "failed", *"abc")

    def change() -> None:
        if world.trap.calls[-1:] == ["jobs.replace"]:
            world.trap.check = lambda: None
            raise RecordConflict("another writer")

    world.trap.calls.clear()
    world.trap.check = change
    shown = redeliver_jobs(world.manager, selection())
    assert results(shown) == [("a", "not_done"), ("b", "redelivered"), ("c", "redelivered")]


@pytest.mark.parametrize(
    ("body", "word"),
    [
        (None, 'such as {"outcome": "not_audited"'),
        ([], 'such as {"outcome": "not_audited"'),
        ({}, "outcome and changedBefore"),
        ({"outcome": "valid"}, "outcome and changedBefore"),
        (selection(label=""), "label must be a string that is not empty"),
        (selection(route="default"), "unknown members: route. It can have after, changedAfter"),
        (selection(outcome="good"), "outcome"),
        (selection(changedBefore="yesterday"), "changedBefore"),
        (selection(changedBefore="2026-01-20T10:00:00"), "changedBefore"),
        (selection(changedAfter="2026-01-20T10:00:00 00:00"), "%2B"),
        (selection(stage="settled"), "stage"),
        (selection() | {"label": 7}, "label must be a string"),
        (selection(after="\0"), "nextPage"),
    ],
)
def test_an_invalid_selection_redelivers_nothing(body: object, word: str) -> None:
    world = World()
    delivered(world, "failed", "a")
    with pytest.raises(RequestError, match=word):
        redeliver_jobs(world.manager, body)
    assert world.record("a").stage is Stage.DELIVERED


def test_times_are_those_of_the_listing() -> None:
    world = World()
    world.add("a")
    at = moment_text(START)
    assert list_jobs(world.manager, {"changedAfter": at})["jobs"]
    assert not list_jobs(world.manager, {"changedBefore": at})["jobs"]
