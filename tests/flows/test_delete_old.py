"""Jobs that were delivered long ago are deleted, whole; no open job ever is."""

from dataclasses import replace
from datetime import timedelta
from unittest.mock import Mock

import pytest

from devkit.runner.blob_message import BlobMessage
from gem_core.errors import JobUnknown, StoreMissing
from gem_core.flows.check_jobs import check_jobs
from gem_core.flows.delete_old import delete_old
from gem_core.flows.deliver_results import deliver_results
from gem_core.flows.manage_jobs import forget_job, redeliver_job, register_job, show_job
from gem_core.flows.remove_poison import remove_done
from gem_core.storage.names import TICKETS
from gem_core.watch.record import Stage
from tests.builders import JOB, OUTPUT, World, answer, finished, logged, matched_file
from tests.fakes import FakePoison
from tests.flows.discovering import discovering, listed
from tests.flows.retained import DAY, KEEP, a_pass, keeping, left, with_jobs


def test_a_delivered_job_is_deleted_whole_after_its_time(caplog: pytest.LogCaptureFixture) -> None:
    world = with_jobs(JOB)
    before = left(world)
    assert set(before) == {"gem-jobs", "gem-tickets", "gem-reports", "gem-outbox"}
    world.clock.move(KEEP - DAY)
    a_pass(world)
    assert left(world) == before
    world.clock.move(DAY)
    a_pass(world)
    assert left(world) == {}
    with pytest.raises(JobUnknown):
        show_job(world.manager, JOB)
    assert [line["container"] for line in logged(caplog, "old_deleted")] == [
        "gem-jobs", "gem-tickets", "gem-reports", "gem-outbox",
    ]  # fmt: skip


def test_without_the_setting_nothing_is_deleted_and_no_request_more_is_made() -> None:
    world = with_jobs(JOB)
    world.retention = None
    before = left(world)
    world.clock.move(KEEP * 9)
    world.trap.calls.clear()
    check_jobs(world.checker)
    assert (left(world), len(world.trap.calls)) == (before, 4)


@pytest.mark.parametrize("stage", [Stage.WATCHING, Stage.SETTLED])
def test_an_open_job_is_never_deleted(stage: Stage) -> None:
    world = keeping(World())
    world.files.write(OUTPUT, matched_file())
    if stage is Stage.WATCHING:
        world.gem.answers[JOB] = [answer("running")]
        world.add(JOB)
    else:
        world.settle(finished())
    before = left(world)
    world.clock.move(KEEP * 9)
    for _ in range(9):  # without the checks of a tick, which would change the record
        delete_old(world.checker, ends_at=world.clock() + DAY)
        world.clock.move(minutes=1)
    assert world.record().stage is stage
    assert left(world) == before


def test_failing_rows_are_deleted_with_their_job() -> None:
    """Also when the setting is 0 by now: retention does not ask for it."""
    world = with_jobs("old", "young")
    for job_run_id in ("old", "young"):
        world.outbox.keep_failures(job_run_id, "id-1", b"rows")
    world.clock.move(KEEP - DAY)
    redeliver_job(world.manager, "young")
    deliver_results(world.deliverer, "young")
    world.clock.move(2 * DAY)
    a_pass(world)
    assert [name.partition("/")[0] for name in world.failures.names()] == ["young"]


def test_a_deployment_without_the_container_of_failing_rows_deletes_the_rest(
    caplog: pytest.LogCaptureFixture,
) -> None:
    world = with_jobs(JOB)
    world.failures.page = Mock(side_effect=StoreMissing("gone"))  # type: ignore[method-assign]
    world.clock.move(KEEP + DAY)
    a_pass(world)
    assert left(world) == {}
    assert not logged(caplog, "old_not_deleted")


def test_a_redelivery_keeps_the_job_and_all_that_belongs_to_it() -> None:
    world = with_jobs(JOB)
    world.clock.move(KEEP - DAY)
    redeliver_job(world.manager, JOB)
    deliver_results(world.deliverer, JOB)
    world.manifests.delete("delivered-2026-01.jsonl")
    before = left(world)
    world.clock.move(2 * DAY)
    a_pass(world)
    assert left(world) == before
    world.clock.move(KEEP)
    a_pass(world)
    assert left(world) == {}


def test_a_redelivery_at_the_same_instant_wins() -> None:
    world = with_jobs(JOB)
    world.clock.move(KEEP + DAY)
    other = World(clock=world.clock)
    other.jobs, other.worklist, other.tickets = world.jobs, world.worklist, world.tickets
    other.reports, other.manifests = world.reports, world.manifests

    def redeliver() -> None:
        if world.trap.calls[-1] == "gem-worklist.put":  # the tombstone
            redeliver_job(other.manager, JOB)

    world.trap.check = redeliver
    a_pass(world)
    assert world.record().stage is Stage.SETTLED
    assert deliver_results(world.deliverer, JOB)
    assert world.queue.sent[0] == world.queue.sent[1]


def test_a_job_that_is_registered_again_is_a_new_one_and_keeps_what_is_new() -> None:
    world = with_jobs(JOB)
    world.clock.move(KEEP + DAY)
    a_pass(world, ticks=2)
    assert JOB + ".json" not in world.jobs.names()
    register_job(world.manager, JOB, None)
    world.settle(finished())
    deliver_results(world.deliverer, JOB)
    a_pass(world)
    first, second = (event["id"] for event in world.queue.events())
    assert first != second
    assert f"{JOB}/{second}.json" in world.manifests.names()
    assert world.record().manifest_id == second
    world.clock.move(KEEP + DAY)
    a_pass(world)
    assert left(world) == {}


def test_reports_of_a_job_that_somebody_removed_go_too() -> None:
    world = with_jobs(JOB)
    forget_job(world.manager, JOB)
    assert world.reports.names()
    world.clock.move(KEEP + DAY)
    a_pass(world)
    assert left(world) == {}


def test_a_late_ticket_and_a_poison_message_of_a_deleted_job_do_nothing() -> None:
    world = with_jobs(JOB)
    poison = FakePoison(clock=world.clock)
    world.clock.move(KEEP + DAY)
    a_pass(world)
    assert deliver_results(world.deliverer, JOB) is None
    poison.put(BlobMessage("Host.Functions.deliver_results", TICKETS, f"{JOB}.json", "").to_json())
    assert remove_done(poison, world.registry, world.clock()).count == 1
    assert (len(world.queue.sent), left(world)) == (1, {})


def test_a_deleted_job_is_not_discovered_again_and_its_tombstone_goes_when_it_is_too_old() -> None:
    world = keeping(discovering(listed("job-a")))
    world.gem.answers["job-a"] = [answer("failed")]
    world.retention = replace(world.retention, keep=timedelta(hours=2)) if world.retention else None
    check_jobs(world.checker)
    check_jobs(world.checker)
    deliver_results(world.deliverer, "job-a")
    lasted = timedelta(0)
    for _ in range(6 * 72):
        world.clock.move(minutes=10)
        check_jobs(world.checker)
        lasted += timedelta(minutes=10) * ("removed/job-a" in world.worklist.names())
    assert (left(world), len(world.queue.sent)) == ({}, 1)
    assert timedelta(hours=24) <= lasted < timedelta(hours=49)


def test_tombstones_go_without_discovery_too() -> None:
    world = with_jobs(JOB)
    forget_job(world.manager, JOB)
    world.clock.move(hours=23)
    a_pass(world)
    assert f"removed/{JOB}" in world.worklist.names()
    world.clock.move(DAY)
    a_pass(world)
    assert f"removed/{JOB}" not in world.worklist.names()


def test_the_list_of_a_month_goes_when_its_last_line_is_old() -> None:
    world = with_jobs("job-1")
    world.clock.move(days=5)
    world.settle(finished(), "job-2")
    deliver_results(world.deliverer, "job-2")
    (month,) = (name for name in world.manifests.names() if "/" not in name)
    world.clock.move(KEEP - timedelta(days=4))
    a_pass(world)
    assert world.jobs.names() == ["job-2.json"]
    assert month in world.manifests.names()
    world.clock.move(days=5)
    a_pass(world)
    assert left(world) == {}
