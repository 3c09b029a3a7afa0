"""A manifest goes to each of its routes; a queue that fails holds no other one up."""

from dataclasses import replace
from datetime import timedelta
from itertools import pairwise

import pytest

from gem_core.flows.check_jobs import check_jobs
from gem_core.flows.deliver_results import deliver_results
from gem_core.flows.find_trouble import find_trouble
from gem_core.flows.job_documents import JobDocument, show_document
from gem_core.outcome import Outcome
from gem_core.settings.route import DEFAULT, EventType
from gem_core.watch.attempts import LONGEST_WAIT, SLOW_AFTER, SLOW_WAIT, Attempts
from gem_core.watch.record import Stage
from tests.builders import DEFAULT_ROUTE, JOB, OUTPUT, finished, logged, matched_file
from tests.fakes import START, Killed
from tests.flows.build import settled
from tests.flows.routed import AWAY, MAPS, NIGHT, SEARCH, broken, deliver, mend, routed, sent


def test_every_route_that_takes_a_manifest_gets_it_and_no_other_one() -> None:
    world = routed(MAPS, NIGHT)
    event = deliver_results(world.deliverer, JOB)
    assert event
    assert sent(world) == {DEFAULT: [event.id], "gem-maps": [event.id], "gem-night": []}
    assert world.queues["gem-maps"].sent == world.queue.sent == [event.body]
    record = world.record()
    assert record.stage is Stage.DELIVERED
    assert record.sent_to == {DEFAULT: START, "gem-maps": START}
    assert not world.marked()


def test_labels_choose_a_route_too() -> None:
    world = routed(replace(MAPS, labels={"team": "maps"}), replace(SEARCH, labels={"team": "x"}))
    stored = world.registry.get(JOB)
    assert stored
    world.registry.replace(stored, replace(stored.record, labels={"team": "maps", "b": "c"}))
    deliver(world)
    assert [name for name, ids in sent(world).items() if ids] == [DEFAULT, "gem-maps"]


def test_without_a_default_queue_the_routes_get_everything() -> None:
    world = routed()
    world.routes = (MAPS, NIGHT)
    deliver(world)
    assert world.queue.sent == []
    assert len(world.queues["gem-maps"].sent) == 1
    assert world.record().stage is Stage.DELIVERED


def test_a_queue_that_fails_holds_no_other_queue_up(caplog: pytest.LogCaptureFixture) -> None:
    world = broken()
    (id_,) = sent(world)[DEFAULT]
    assert sent(world) == {DEFAULT: [id_], "gem-maps": [], "gem-search": [id_]}
    record = world.record()
    assert (record.stage, record.attempts.pending) == (Stage.SETTLED, ("gem-maps",))
    assert (record.outcome, record.manifest_id) == (Outcome.VALID, id_)
    assert set(record.sent_to) == {DEFAULT, "gem-search"}
    (line,) = logged(caplog, "manifest_sent")
    assert line["routes"] == [DEFAULT, "gem-search"]
    (line,) = logged(caplog, "delivery_postponed")
    assert line["reason"] == str(AWAY)
    mend(world)
    deliver(world)
    assert sent(world) == {DEFAULT: [id_], "gem-maps": [id_], "gem-search": [id_]}
    assert world.record().stage is Stage.DELIVERED
    assert set(world.record().sent_to) == {DEFAULT, "gem-maps", "gem-search"}
    assert world.record().attempts == Attempts()
    assert not world.marked()


def test_readers_of_the_other_queues_can_open_the_documents() -> None:
    """The record says the manifest's id, although the job is not delivered yet."""
    world = broken()
    shown = show_document(world.manager, JOB, JobDocument.MANIFEST)
    assert shown.decode() == world.queue.sent[0]


def test_a_manifest_that_some_have_is_sent_to_the_others_whatever_becomes_of_the_output() -> None:
    world = broken()
    world.files.held.clear()
    world.clock.move(hours=3)
    world.files.opened.clear()
    mend(world)
    deliver(world)
    assert world.queues["gem-maps"].sent == world.queue.sent
    assert len(world.queue.sent) == 1
    assert world.files.opened == []


def test_a_manifest_that_nobody_has_is_made_again_from_a_newer_output() -> None:
    world = routed(MAPS)
    for queue in world.queues.values():
        queue.refuses = AWAY
    deliver(world)
    assert world.record().attempts.pending == ()
    world.files.write(OUTPUT, matched_file(matched=20))
    mend(world)
    deliver(world)
    (event,) = world.queue.events()
    assert event["data"]["output"]["etag"] == "E2"
    assert world.queues["gem-maps"].sent == world.queue.sent


def test_a_try_of_one_route_costs_little() -> None:
    world = broken()
    world.wait()
    world.trap.calls.clear()
    deliver_results(world.deliverer, JOB)
    assert world.trap.calls == ["jobs.get", "manifests.get", "queue.send", "jobs.replace"]


def test_after_a_day_a_route_is_tried_once_an_hour_and_stays_in_trouble() -> None:
    world = broken()
    tries = [START]
    while world.clock() < START + timedelta(hours=30):
        world.clock.now = world.record().due_at
        check_jobs(world.checker)
        assert world.new_tickets() == [JOB]
        tries.append(world.clock())
        deliver_results(world.deliverer, JOB)
        if world.clock() > START + timedelta(hours=2):
            assert find_trouble(world.manager)
    gaps = [(later, later - earlier) for earlier, later in pairwise(tries)]
    assert {gap for at, gap in gaps if at > START + SLOW_AFTER + SLOW_WAIT} == {SLOW_WAIT}
    assert max(gap for at, gap in gaps if at <= START + SLOW_AFTER) == LONGEST_WAIT
    (found,) = find_trouble(world.manager)
    assert (found["trouble"], found["jobRunId"]) == ("postponed", JOB)
    assert str(AWAY) in found["problem"]
    assert len(world.queue.sent) == 1
    mend(world)
    deliver(world)
    assert len(world.queues["gem-maps"].sent) == 1
    assert find_trouble(world.manager) == []


def test_a_job_that_waits_for_a_route_holds_no_other_job_up() -> None:
    world = broken()
    world.settle(finished(), "job-2")
    deliver_results(world.deliverer, "job-2")
    assert len(world.queue.sent) == len(world.queues["gem-search"].sent) == 2


def test_the_routes_are_fixed_when_the_manifest_is_made() -> None:
    """The process dies before it sends; then the settings get another route."""
    world = routed(MAPS)
    world.queue.refuses = Killed()
    with pytest.raises(Killed):
        deliver_results(world.deliverer, JOB)
    mend(world)
    world.routes = (DEFAULT_ROUTE, MAPS, SEARCH)
    deliver(world)
    assert {name: len(ids) for name, ids in sent(world).items()} == {
        DEFAULT: 1, "gem-maps": 1, "gem-search": 0,
    }  # fmt: skip


def test_a_manifest_of_an_older_version_goes_to_the_default_queue_only() -> None:
    world = settled()
    world.queue.refuses = AWAY
    deliver(world)
    (name,) = world.stored_manifests()
    held = world.manifests.get(name)
    assert held
    assert held.metadata == {}
    world.routes = (DEFAULT_ROUTE, MAPS)
    mend(world)
    deliver(world)
    assert sent(world)["gem-maps"] == []
    assert len(world.queue.sent) == 1


@pytest.mark.parametrize("is_sent_before", [True, False])
def test_a_route_that_the_settings_no_longer_have_is_given_up(*, is_sent_before: bool) -> None:
    world = routed(MAPS)
    world.queues["gem-maps"].refuses = AWAY
    if not is_sent_before:
        world.queue.refuses = AWAY
    deliver(world)
    world.routes = (DEFAULT_ROUTE,)
    if not is_sent_before:
        mend(world)
    deliver(world)
    assert world.record().stage is Stage.DELIVERED
    assert set(world.record().sent_to) == {DEFAULT}
    assert len(world.queue.sent) == 1


@pytest.mark.parametrize("is_sent_before", [True, False])
def test_a_route_that_takes_no_manifests_any_more_is_given_up(*, is_sent_before: bool) -> None:
    world = routed(MAPS)
    world.queues["gem-maps"].refuses = AWAY
    if not is_sent_before:
        world.queue.refuses = AWAY
    deliver(world)
    mend(world)
    world.routes = (DEFAULT_ROUTE, replace(MAPS, types=(EventType.JOB_OUTDATED,)))
    deliver(world)
    assert world.record().stage is Stage.DELIVERED
    assert {name: len(ids) for name, ids in sent(world).items()} == {DEFAULT: 1, "gem-maps": 0}


def test_a_manifest_whose_routes_are_all_gone_takes_the_present_ones() -> None:
    world = routed()
    world.routes = (MAPS,)
    world.queues["gem-maps"].refuses = AWAY
    deliver(world)
    world.routes = (DEFAULT_ROUTE, NIGHT)
    deliver(world)
    assert {name: len(ids) for name, ids in sent(world).items()} == {DEFAULT: 1, "gem-night": 0}
    assert world.record().stage is Stage.DELIVERED


def test_two_runs_side_by_side_leave_only_what_neither_could_send() -> None:
    """The one finds a queue broken that the other serves a moment later."""
    world = routed(MAPS)
    maps = world.queues["gem-maps"]

    def other_run() -> None:
        maps.on_send = lambda: None
        deliver_results(world.deliverer, JOB)
        maps.refuses = AWAY

    maps.on_send = other_run
    deliver_results(world.deliverer, JOB)
    assert world.record().stage is Stage.DELIVERED
    assert [len(ids) for ids in sent(world).values()] == [2, 1]


def test_a_stored_manifest_that_is_gone_is_made_again() -> None:
    """Somebody deleted it, although other routes have it."""
    world = broken()
    for name in world.stored_manifests():
        world.manifests.delete(name)
    mend(world)
    deliver(world)
    assert world.record().stage is Stage.DELIVERED
    assert [len(ids) for ids in sent(world).values()] == [2, 1, 2]
