"""Each outdated job: one event id for a release, whatever dies and whichever answer is lost."""

import json
from dataclasses import replace

import pytest

from gem_core.errors import StoreError
from gem_core.flows.deliver_results import deliver_results
from gem_core.flows.manage_jobs import forget_job, redeliver_job
from gem_core.flows.send_outdated import Unread, delivered_outputs, send_outdated
from gem_core.settings.route import DEFAULT
from gem_core.watch.record import Stage
from tests.builders import DEFAULT_ROUTE, OUTPUT, World, answer, finished, matched_file
from tests.fakes import Killed, Trap
from tests.flows.outdated import (
    BOTH,
    NEWEST,
    OLD,
    OUTDATED,
    changes,
    delivered,
    events,
    outputs,
    tell,
)

JOBS = ("job-1", "job-2")
LOST = StoreError("no answer")


def test_an_event_says_what_is_outdated_and_by_what() -> None:
    world = delivered(*JOBS)
    first, second = tell(world)
    assert (first.to, first.failed, first.job_run_id) == (("gem-outdated",), (), "job-1")
    one, two = events(world)
    assert [one["id"], two["id"]] == [first.id, second.id]
    data = one["data"]
    assert (data["jobRunId"], data["manifestId"]) == ("job-1", world.record("job-1").manifest_id)
    assert (data["release"], data["newRelease"]) == (OLD, NEWEST)
    assert data["changes"] == changes()
    manifest = json.loads(world.queue.sent[0])
    assert (one["source"], one["subject"]) == (manifest["source"], manifest["subject"])
    assert data["output"].items() <= manifest["data"]["output"].items()


def test_only_routes_that_name_the_type_get_it() -> None:
    """And these get nothing else, unless they name that too."""
    world = delivered(*JOBS, routes=(DEFAULT_ROUTE, OUTDATED, BOTH))
    tell(world)
    types = {
        name: [event["type"].split(".")[-2] for event in queue.events()]
        for name, queue in world.queues.items()
    }
    assert types == {
        DEFAULT: ["settled"] * 2,
        "gem-outdated": ["outdated"] * 2,
        "gem-both": ["settled"] * 2 + ["outdated"] * 2,
    }


def test_a_route_may_choose_by_label_and_outcome() -> None:
    world = delivered("job-1", routes=(DEFAULT_ROUTE, replace(OUTDATED, labels={"team": "maps"})))
    (told,) = tell(world)
    assert (told.id, told.to, told.failed) == ("", (), ())
    assert len(world.stored_manifests()) == 1


def test_another_run_sends_nothing_and_replaces_nothing() -> None:
    world = delivered("job-1")
    (first,) = tell(world)
    world.clock.move(days=1)
    (again,) = tell(world, changes(7))
    assert (again.id, again.to) == (first.id, ())
    assert len(events(world)) == 1
    stored = world.outbox.get("job-1", first.id)
    assert stored
    assert stored.body == world.queues["gem-outdated"].sent[0]


def test_a_redelivery_does_not_make_another_event_and_a_new_registration_does() -> None:
    world = delivered("job-1")
    (first,) = tell(world)
    redeliver_job(world.manager, "job-1")
    deliver_results(world.deliverer, "job-1")
    assert tell(world)[0].id == first.id
    forget_job(world.manager, "job-1")
    world.clock.move(minutes=1)
    world.settle(finished(overtureRelease=OLD), "job-1")
    deliver_results(world.deliverer, "job-1")
    (other,) = tell(world)
    assert other.id != first.id
    assert other.to


def test_nothing_is_sent_about_a_manifest_that_is_no_longer_the_last() -> None:
    world = delivered(*JOBS, "job-3")
    before = outputs(world)
    forget_job(world.manager, "job-1")
    world.files.write(OUTPUT, matched_file(matched=29))
    redeliver_job(world.manager, "job-2")
    deliver_results(world.deliverer, "job-2")
    told = [send_outdated(world.manager, world.queues, each, NEWEST, changes()) for each in before]
    gone = ("the job was removed or delivered again meanwhile",)
    assert [each.failed for each in told] == [gone, gone, ()]
    assert [event["data"]["jobRunId"] for event in events(world)] == ["job-3"]


def test_a_queue_that_fails_holds_no_other_one_up() -> None:
    world = delivered("job-1", routes=(DEFAULT_ROUTE, OUTDATED, BOTH))
    world.queues["gem-outdated"].refuses = LOST
    (told,) = tell(world)
    assert (told.to, told.failed) == (("gem-both",), ("gem-outdated: no answer",))
    world.queues["gem-outdated"].refuses = None
    (told,) = tell(world)
    assert (told.to, told.failed) == (("gem-outdated",), ())
    assert tell(world)[0].to == ()
    stored = world.outbox.get("job-1", told.id)
    assert stored
    assert stored.routes == ("gem-outdated", "gem-both")
    assert events(world) == events(world, BOTH)
    assert len(events(world)) == 1


def test_an_event_whose_routes_are_gone_takes_the_present_ones() -> None:
    world = delivered("job-1")
    world.queues["gem-outdated"].refuses = LOST
    tell(world)
    world.routes = (DEFAULT_ROUTE, BOTH)
    assert tell(world)[0].to == ("gem-both",)
    assert tell(world)[0].to == ()


def test_jobs_without_an_audited_output_are_left_out() -> None:
    world = delivered("job-2")
    world.settle(answer("failed"), "job-1")
    deliver_results(world.deliverer, "job-1")
    world.add("job-3")
    assert world.record("job-1").stage is Stage.DELIVERED
    assert [each.job_run_id for each in outputs(world)] == ["job-2"]


def test_a_manifest_that_cannot_be_read_is_told() -> None:
    world = delivered(*JOBS, "job-3")
    name, other, _ = world.stored_manifests()
    world.manifests.put(name, b'{"data": {"output": null}}')
    world.manifests.delete(other)
    found = {each.job_run_id: each for each in delivered_outputs(world.manager)}
    assert found["job-1"] == Unread("job-1", "its manifest cannot be read: KeyError")
    assert found["job-2"] == Unread("job-2", "its manifest is not stored")
    assert not isinstance(found["job-3"], Unread)


def calls() -> list[str]:
    world = delivered(*JOBS)
    tell(world)
    return world.trap.calls


READS = {"get", "page", "every"}
WRITES = [at for at, call in enumerate(calls()) if call.partition(".")[2] not in READS]


def assert_all_have_one(world: World) -> None:
    found = events(world)
    ids = {event["data"]["jobRunId"]: event["id"] for event in found}
    assert set(ids) == set(JOBS)
    assert len({*ids.values()}) == len({event["id"] for event in found}) == len(JOBS)
    assert len({*world.queues["gem-outdated"].sent}) == len(JOBS)
    assert tell(world) == [replace(told, to=()) for told in tell(world)]


def test_the_recorded_writes_are_those_of_two_events() -> None:
    assert [calls()[at] for at in WRITES] == [
        "manifests.create", "queue.send", "manifests.replace",
    ] * 2  # fmt: skip


@pytest.mark.parametrize("after", [True, False])
@pytest.mark.parametrize("at", WRITES)
def test_a_death_at_any_write_loses_no_event(at: int, *, after: bool) -> None:
    world = delivered(*JOBS)
    world.trap = Trap(at, after=after)
    with pytest.raises(Killed):
        tell(world)
    world.trap = Trap()
    world.clock.move(hours=1)
    tell(world, changes(5))
    assert_all_have_one(world)


@pytest.mark.parametrize("at", WRITES)
def test_an_answer_that_is_lost_loses_no_event(at: int) -> None:
    """The write was done, and the app is told that nobody knows."""
    world = delivered(*JOBS)

    def lose() -> None:
        if len(world.trap.calls) - 1 == at:
            raise LOST

    world.trap = Trap(check=lose)
    problems = [problem for told in tell(world) for problem in told.failed]
    assert len(problems) == 1
    world.trap = Trap()
    tell(world)
    assert_all_have_one(world)
