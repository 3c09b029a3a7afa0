"""A newer version and this one take turns on the same stores, and nothing is lost by it."""

import json
from collections.abc import Callable
from datetime import timedelta

import pytest

from gem_core.errors import RecordUnreadable, StoreError
from gem_core.flows.check_batch import check_batch
from gem_core.flows.check_jobs import check_jobs
from gem_core.flows.check_one import UNREADABLE_WAIT
from gem_core.flows.deliver_results import deliver_results
from gem_core.flows.find_trouble import find_trouble
from gem_core.flows.list_jobs import list_jobs
from gem_core.flows.manage_jobs import redeliver_job, register_job, show_job
from gem_core.flows.replay_poison import Replay, list_poison, replay_poison
from gem_core.outcome import Outcome
from gem_core.watch.batch import BatchPlan
from gem_core.watch.poison import batch_of_message
from gem_core.watch.record import Settlement, Stage
from gem_core.watch.registry import SUFFIX
from gem_core.watch.trouble import TroubleKind
from tests.builders import JOB, OUTPUT, World, answer, check_manifest, finished, matched_file
from tests.fakes import START
from tests.flows.poisoned import manager as poison_manager
from tests.flows.poisoned import ticket
from tests.frozen.newer import ADDED, METADATA, NewerWorld


def _register(world: World) -> None:
    register_job(world.manager, JOB, {"labels": {"team": "maps"}})


def _tick(world: World) -> None:
    world.clock.move(minutes=11)
    check_jobs(world.checker)
    for message in world.batches.take():
        check_batch(world.checker, message)


def _deliver(world: World) -> None:
    world.wait()
    deliver_results(world.deliverer, JOB)


def _deliver_in_vain(world: World) -> None:
    """The queue refuses, so the event stays in the outbox."""
    world.queue.refuses = StoreError("the queue refuses")
    deliver_results(world.deliverer, JOB)
    world.queue.refuses = None


def _redeliver(world: World) -> None:
    redeliver_job(world.manager, JOB)


STEPS: tuple[Callable[[World], None], ...] = (
    _register, _tick, _tick, _deliver_in_vain, _tick, _deliver, _redeliver, _deliver_in_vain,
    _deliver,
)  # fmt: skip
TURNS = [(since, until) for until in range(1, len(STEPS) + 1) for since in range(until)]
"""The newer version takes all steps from one up to another."""


@pytest.mark.parametrize("plan", [None, BatchPlan(size=2, concurrency=1)], ids=["alone", "batches"])
@pytest.mark.parametrize("turn", TURNS, ids=str)
def test_an_upgrade_can_be_rolled_back_at_any_step(
    turn: tuple[int, int], plan: BatchPlan | None
) -> None:
    older = World(plan=plan)
    older.gem.answers[JOB] = [answer("running", progress=5), finished()]
    older.files.write(OUTPUT, matched_file())
    newer = NewerWorld.of(older)
    for number, step in enumerate(STEPS):
        step(newer if turn[0] <= number < turn[1] else older)
        older.assert_open_records_are_marked()
    events = [check_manifest(body) for body in older.queue.sent]
    assert len(events) == 2
    assert len(set(older.queue.sent)) == 1, "a repeat sends the same bytes"
    record = older.record()
    assert (record.stage, record.manifest_id) == (Stage.DELIVERED, events[0]["id"])
    assert not older.marked()
    assert record.extra == ADDED, "each step writes the record"


def test_the_newer_version_writes_other_documents() -> None:
    """Else the test above would prove nothing."""
    world = World(plan=BatchPlan(size=2, concurrency=1))
    newer = NewerWorld.of(world)
    world.gem.answers[JOB] = [finished()]
    _register(newer)
    world.clock.move(minutes=1)
    check_jobs(newer.checker)
    (message,) = world.batches.take()
    assert json.loads(message)["addedLater"] == ADDED["addedLater"]
    assert batch_of_message(message)
    check_batch(newer.checker, message)
    world.files.write(OUTPUT, matched_file())
    deliver_results(newer.deliverer, JOB)
    for store in (world.jobs, world.worklist, world.tickets, world.manifests, world.reports):
        assert store.names()
        for name, held in store._held.items():
            if not name.endswith(".jsonl"):  # a log has no metadata
                assert held.metadata["added"] == METADATA["added"], name
            assert not held.body or json.loads(held.body)["addedLater"], name


WORDS = [("stage", "archived"), ("settlement", "superseded"), ("outcome", "partly_valid")]


@pytest.mark.parametrize(("member", "word"), WORDS)
@pytest.mark.parametrize("stage", Stage)
def test_a_record_with_a_value_of_a_newer_version_is_not_read(
    stage: Stage, member: str, word: str
) -> None:
    """It is shown as unreadable, and everything about it stays for the newer version. Only its
    marker is postponed, by an hour at most.
    """
    world = _with_word(stage, member, word)
    before = _all_of(world)
    world.clock.move(hours=2)
    tick = check_jobs(world.checker)
    assert (tick.problems, tick.checked, tick.settled) == (tick.due_jobs, 0, 0)
    for story in (
        lambda: deliver_results(world.deliverer, JOB),
        lambda: redeliver_job(world.manager, JOB),
        lambda: register_job(world.manager, JOB, None),
        lambda: show_job(world.manager, JOB),
    ):
        with pytest.raises(RecordUnreadable, match=f"{member} '{word}' is not known to this app"):
            story()
    (line,) = list_jobs(world.manager, {})["jobs"]
    assert line["stage"] == (word if member == "stage" else stage)
    poison, _ = poison_manager(world, ticket(JOB))
    assert list_poison(poison)["messages"][0]["stage"] == Replay.UNREADABLE
    assert [each["kept"] for each in replay_poison(poison)] == [True]
    for each in find_trouble(world.manager):
        assert (each["jobRunId"], each["trouble"]) == (JOB, TroubleKind.UNREADABLE)
    assert bool(find_trouble(world.manager)) == (stage is not Stage.DELIVERED)
    assert _all_of(world) == before
    assert world.marked() == (stage is not Stage.DELIVERED)
    assert all(job.due_at <= world.clock() + UNREADABLE_WAIT for job in world.registry.open_jobs())
    assert world.queue.sent == world.gem.asked == []


def test_an_event_with_an_outcome_of_a_newer_version_is_left_alone() -> None:
    """Its id is taken, so this version sends nothing in its place; the newer one goes on."""
    world = World()
    world.files.write(OUTPUT, matched_file())
    world.settle(finished())
    _deliver_in_vain(world)
    (name,) = world.manifests.names()
    held = world.manifests._held[name].body
    world.manifests.put(name, held.replace(b'"outcome":"valid"', b'"outcome":"partly_valid"'))
    world.wait()
    before = dict(world.manifests._held), _all_of(world)
    for _ in range(2):
        with pytest.raises(RecordUnreadable, match="outcome 'partly_valid' is not known"):
            deliver_results(world.deliverer, JOB)
    assert (dict(world.manifests._held), _all_of(world)) == before
    assert world.queue.sent == []


def _with_word(stage: Stage, member: str, word: str) -> World:
    """A job in this stage, in whose record a newer version has written a word of its own."""
    world = World()
    _register(world)
    stored = world.registry.get(JOB)
    assert stored
    if stage is not Stage.WATCHING:
        record = (
            stored.record.settled(Settlement.FAILED, START)
            .ticket_raised()
            .due(START + timedelta(minutes=10))
        )
        stored = world.registry.replace(stored, record)
        world.registry.raise_ticket(record)
    if stage is Stage.DELIVERED:
        world.registry.replace(stored, stored.record.delivered(Outcome.FAILED, "id", START))
    name = JOB + SUFFIX
    held = world.jobs._held[name]
    body = json.dumps(json.loads(held.body) | {member: word}).encode()
    metadata = {**held.metadata} | ({member: word} if member != "settlement" else {})
    world.jobs.put(name, body, metadata=metadata)
    return world


def _all_of(world: World) -> list[object]:
    """Record and ticket, as they are stored."""
    return [
        world.jobs._held.get(JOB + SUFFIX),
        world.tickets._held.get(JOB + SUFFIX),
    ]
