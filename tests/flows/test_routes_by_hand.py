"""What a person can do about the routes of a job: send again, and drop."""

import json
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from gem_core.errors import RequestError, StageForbids
from gem_core.flows.deliver_results import deliver_results
from gem_core.flows.find_trouble import find_trouble
from gem_core.flows.in_bulk import redeliver_jobs
from gem_core.flows.manage_jobs import drop_route, redeliver_job, register_job, send_again, show_job
from gem_core.moments import moment_text
from gem_core.settings.route import DEFAULT, EventType
from gem_core.watch.attempts import Attempts
from gem_core.watch.record import Stage
from tests.builders import DEFAULT_ROUTE, JOB, OUTPUT, logged, matched_file
from tests.fakes import START
from tests.flows.routed import AWAY, MAPS, SEARCH, broken, deliver, mend, routed, sent


def test_a_route_for_another_type_gets_no_manifest_not_even_by_hand() -> None:
    outdated = replace(MAPS, types=(EventType.JOB_OUTDATED,))
    world = routed(outdated)
    deliver(world)
    assert world.record().stage is Stage.DELIVERED
    with pytest.raises(RequestError, match="the route gem-maps takes no manifests"):
        send_again(world.manager, JOB, "gem-maps")
    redeliver_job(world.manager, JOB)
    deliver(world)
    assert sent(world)["gem-maps"] == []


def test_a_route_can_get_the_last_manifest_again() -> None:
    world = routed(MAPS)
    deliver(world)
    world.new_tickets()
    before = world.record()
    world.clock.move(minutes=1)
    world.files.write(OUTPUT, matched_file(matched=20))
    shown = send_again(world.manager, JOB, "gem-maps")
    assert (shown["stage"], shown["attempts"]["pending"]) == ("settled", ["gem-maps"])
    assert world.new_tickets() == [JOB]
    deliver_results(world.deliverer, JOB)
    assert len(world.queue.sent) == 1
    first, second = world.queues["gem-maps"].sent
    assert first == second
    record = world.record()
    assert (record.stage, record.manifest_id) == (Stage.DELIVERED, before.manifest_id)
    assert record.sent_to == {DEFAULT: START, "gem-maps": world.clock()}
    assert not world.marked()


def test_a_new_route_can_get_an_old_manifest() -> None:
    world = routed()
    deliver(world)
    world.routes = (DEFAULT_ROUTE, MAPS)
    redeliver_job(world.manager, JOB)
    deliver(world)
    assert sent(world)["gem-maps"] == []  # the routes of a manifest are fixed
    send_again(world.manager, JOB, "gem-maps")
    deliver(world)
    assert world.queues["gem-maps"].sent == world.queue.sent[:1]


def test_a_route_that_fails_can_be_tried_at_once() -> None:
    world = broken()
    mend(world)
    send_again(world.manager, JOB, "gem-maps")
    deliver_results(world.deliverer, JOB)
    assert len(world.queues["gem-maps"].sent) == 1
    assert world.record().stage is Stage.DELIVERED


def test_a_request_during_a_delivery_is_not_lost() -> None:
    """The run sends to a route before a person asks for it again, and marks it afterwards."""
    world = broken()
    mend(world)
    world.wait()

    def send() -> None:
        if len(world.queues["gem-maps"].sent) == 1:
            world.clock.move(seconds=1)
            send_again(world.manager, JOB, "gem-maps")

    world.queues["gem-maps"].on_sent = send
    deliver_results(world.deliverer, JOB)
    assert world.record().attempts.pending == ("gem-maps",)
    deliver_results(world.deliverer, JOB)
    assert len(world.queues["gem-maps"].sent) == 2
    assert world.record().stage is Stage.DELIVERED


def test_a_route_that_fails_can_be_dropped(caplog: pytest.LogCaptureFixture) -> None:
    world = routed(MAPS, SEARCH)
    for name in ("gem-maps", "gem-search"):
        world.queues[name].refuses = AWAY
    deliver(world)
    shown = drop_route(world.manager, JOB, "gem-maps")
    assert (shown["stage"], shown["attempts"]["pending"]) == ("settled", ["gem-search"])
    shown = drop_route(world.manager, JOB, "gem-search")
    assert (shown["stage"], shown["attempts"], shown["outcome"]) == ("delivered", None, "valid")
    assert list(shown["sentTo"]) == [DEFAULT]
    assert not world.marked()
    assert [line["route"] for line in logged(caplog, "route_dropped")] == ["gem-maps", "gem-search"]
    assert find_trouble(world.manager) == []


def test_a_route_that_is_dropped_during_a_try_does_not_come_back() -> None:
    world = routed(MAPS, SEARCH)
    for name in ("gem-maps", "gem-search"):
        world.queues[name].refuses = AWAY
    deliver(world)
    world.wait()
    world.queues["gem-maps"].on_send = lambda: drop_route(world.manager, JOB, "gem-maps")
    deliver_results(world.deliverer, JOB)
    assert world.record().attempts.pending == ("gem-search",)


def test_many_jobs_are_sent_to_one_route_without_an_audit() -> None:
    world = routed(MAPS)
    deliver(world)
    before = world.record()
    world.clock.move(minutes=1)
    selection = {"outcome": "valid", "changedBefore": moment_text(world.clock())}
    with pytest.raises(RequestError, match="there is no route 'maps'"):
        redeliver_jobs(world.manager, selection, "maps")
    assert world.record() == before
    shown = redeliver_jobs(world.manager, selection, "gem-maps")
    assert [(each["jobRunId"], each["result"]) for each in shown["jobs"]] == [(JOB, "redelivered")]
    world.files.write(OUTPUT, matched_file(matched=20))  # nobody looks at it
    deliver(world)
    assert len(world.queue.sent) == 1
    assert len(world.queues["gem-maps"].sent) == 2
    assert world.record().manifest_id == before.manifest_id


def test_a_route_gets_nothing_of_a_job_that_has_no_manifest_yet() -> None:
    """Another stage would allow it: over HTTP this is 409."""
    world = routed(MAPS)
    with pytest.raises(StageForbids, match="not sent to any route yet"):
        redeliver_job(world.manager, JOB, "gem-maps")
    register_job(world.manager, "watched", None)
    with pytest.raises(StageForbids, match="still being watched"):
        redeliver_job(world.manager, "watched", "gem-maps")


@pytest.mark.parametrize(
    ("do", "words"),
    [
        (lambda manager: send_again(manager, JOB, "maps"), "no route 'maps': .* default, gem-maps"),
        (lambda manager: send_again(manager, JOB, ""), "no route ''"),
        (lambda manager: drop_route(manager, JOB, "gem-maps"), "it waits for none"),
    ],
)
def test_what_cannot_be_done_is_refused(do: Callable[[Any], object], words: str) -> None:
    world = routed(MAPS)
    before = world.record()
    with pytest.raises(RequestError, match=words):
        do(world.manager)
    assert world.record() == before


def test_a_full_redelivery_ends_the_tries_of_the_last_one() -> None:
    world = broken()
    world.clock.move(minutes=1)
    redeliver_job(world.manager, JOB)
    assert world.record().attempts == Attempts()
    assert show_job(world.manager, JOB)["sentTo"] == {}
    mend(world)
    deliver_results(world.deliverer, JOB)
    assert [len(ids) for ids in sent(world).values()] == [2, 1, 2]
    assert json.loads(world.queue.sent[1]) == json.loads(world.queues["gem-maps"].sent[0])
