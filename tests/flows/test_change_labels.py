"""Labels change while a job is watched, and not afterwards."""

import pytest

from gem_core.errors import JobUnknown, RequestError, StageForbids
from gem_core.flows.change_labels import change_labels
from gem_core.flows.check_jobs import check_jobs
from gem_core.flows.deliver_results import deliver_results
from gem_core.flows.manage_jobs import check_job, register_job
from gem_core.watch.record import Stage
from gem_core.watch.record_json import record_to_json
from tests.builders import JOB, OUTPUT, World, answer, finished, matched_file


def watched(**labels: str) -> World:
    world = World()
    register_job(world.manager, JOB, {"labels": labels})
    return world


@pytest.mark.parametrize(
    ("change", "labels"),
    [
        ({}, {"a": "1", "b": "2"}),
        ({"c": "3"}, {"a": "1", "b": "2", "c": "3"}),
        ({"a": "9", "b": None, "z": None}, {"a": "9"}),
        (None, {}),
    ],
)
def test_labels_are_added_replaced_and_removed(change: object, labels: object) -> None:
    world = watched(a="1", b="2")
    shown = change_labels(world.manager, JOB, {"labels": change})
    assert shown["labels"] == labels
    assert shown == record_to_json(world.record())


def test_the_manifest_has_the_labels_of_the_last_change() -> None:
    world = watched(a="1")
    world.files.write(OUTPUT, matched_file())
    change_labels(world.manager, JOB, {"labels": {"a": "2"}})
    world.gem.answers = {JOB: [finished()]}
    check_jobs(world.checker)
    deliver_results(world.deliverer, JOB)
    (event,) = world.queue.events()
    assert event["data"]["labels"] == {"a": "2"}


@pytest.mark.parametrize("stage", [Stage.SETTLED, Stage.DELIVERED])
def test_a_job_that_has_settled_keeps_its_labels(stage: Stage) -> None:
    """The manifest may be made already, and one id has one content."""
    world = World()
    world.settle(answer("failed"))
    if stage is Stage.DELIVERED:
        deliver_results(world.deliverer, JOB)
    before = world.jobs.get(f"{JOB}.json")
    with pytest.raises(StageForbids, match=stage):
        change_labels(world.manager, JOB, {"labels": {"a": "2"}})
    assert world.jobs.get(f"{JOB}.json") == before


def checked_meanwhile(status: str) -> World:
    """A watched job that another process checks before the next write of a record."""
    world = watched(a="1")
    world.gem.answers = {JOB: [answer(status)]}
    other = World(clock=world.clock)
    other.gem, other.jobs, other.worklist = world.gem, world.jobs, world.worklist

    def overtake() -> None:
        if world.trap.calls[-1:] == ["worklist.put"]:
            world.trap.check = lambda: None
            check_job(other.manager, other.checker, JOB)

    world.trap.check = overtake
    return world


def test_a_check_that_ends_at_the_same_time_is_kept() -> None:
    world = checked_meanwhile("running")
    change_labels(world.manager, JOB, {"labels": {"a": "2"}})
    assert (world.record().labels, world.record().times_checked) == ({"a": "2"}, 1)


def test_a_job_that_settles_at_the_same_time_is_left_alone() -> None:
    world = checked_meanwhile("failed")
    with pytest.raises(StageForbids):
        change_labels(world.manager, JOB, {"labels": {"a": "2"}})
    assert (world.record().labels, world.record().stage) == ({"a": "1"}, Stage.SETTLED)
    assert world.marked()


def test_a_change_that_changes_nothing_writes_nothing() -> None:
    world = watched(a="1")
    changes = world.jobs.changes
    change_labels(world.manager, JOB, {"labels": {"a": "1"}})
    assert world.jobs.changes == changes


@pytest.mark.parametrize(
    ("body", "word"),
    [
        (None, "labels"),
        ([], "labels"),
        ({}, "labels"),
        ({"labels": {}, "stage": "watching"}, "stage"),
        ({"labels": "x"}, "labels"),
        ({"labels": {"a": 1}}, "labels"),
        ({"labels": {str(number): "" for number in range(32)}}, "at most 32"),
    ],
)
def test_an_invalid_change_is_refused(body: object, word: str) -> None:
    world = watched(a="1")
    with pytest.raises(RequestError, match=word):
        change_labels(world.manager, JOB, body)
    assert world.record().labels == {"a": "1"}


def test_an_unknown_job_has_no_labels() -> None:
    with pytest.raises(JobUnknown):
        change_labels(World().manager, JOB, {"labels": {}})
