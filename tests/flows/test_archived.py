"""A rule of the storage account has archived a document: one line, and nobody else is harmed.

Such a blob can be listed and deleted, and has its properties. To read it, or to write over it, is
answered with 409 BlobArchived ("Hot, cool, cold and archive access tiers", Azure Blob Storage).
"""

import json

import pytest

from gem_core.flows.check_jobs import check_jobs
from gem_core.flows.deliver_results import deliver_results
from gem_core.flows.find_trouble import find_trouble
from gem_core.flows.in_bulk import redeliver_jobs, register_jobs
from gem_core.flows.list_jobs import list_jobs
from gem_core.flows.listed_details import with_details
from gem_core.flows.manage_jobs import forget_job, redeliver_job
from gem_core.moments import moment_text
from gem_core.outcome import Outcome
from gem_core.watch.record import Stage
from tests.builders import JOB, OUTPUT, World, answer, finished, logged, matched_file
from tests.flows.build import after_delivery
from tests.flows.discovering import discovering, listed

OLD = "old-job"


@pytest.fixture
def world() -> World:
    """A job that is about to finish, and one whose record is archived."""
    world = World()
    world.files.write(OUTPUT, matched_file())
    for name, said in ((JOB, finished()), (OLD, answer("running"))):
        world.add(name)
        world.gem.answers[name] = [said]
    world.jobs.archived = {f"{OLD}.json"}
    return world


def test_an_archived_record_harms_no_other_job(
    world: World, caplog: pytest.LogCaptureFixture
) -> None:
    for _ in range(60):
        check_jobs(world.checker)
        for ticket in world.new_tickets():
            deliver_results(world.deliverer, ticket)
        world.clock.move(minutes=1)
    assert world.record().stage is Stage.DELIVERED
    assert [line["job_run_id"] for line in logged(caplog, "record_unreadable")] == [OLD]
    assert not logged(caplog, "job_check_crashed")
    (found,) = find_trouble(world.manager)
    assert (found["jobRunId"], found["trouble"]) == (OLD, "unreadable")
    assert "archive tier" in found["problem"]
    listed = with_details(world.manager, list_jobs(world.manager, {})["jobs"])
    assert {each["jobRunId"] for each in listed} == {JOB, OLD}
    many = register_jobs(world.manager, {"jobs": [{"jobRunId": OLD}, {"jobRunId": "new-job"}]})
    assert [each["result"] for each in many["jobs"]] == ["failed", "registered"]


def test_a_record_that_was_rehydrated_is_watched_again(world: World) -> None:
    check_jobs(world.checker)
    world.jobs.archived = set()
    world.clock.move(hours=1)
    assert OLD not in world.gem.asked
    check_jobs(world.checker)
    assert OLD in world.gem.asked


def test_an_archived_tombstone_does_not_end_a_discovery(
    world: World, caplog: pytest.LogCaptureFixture
) -> None:
    """A tombstone is never written again, so such a rule comes to it first."""
    world.add("removed")
    forget_job(world.manager, "removed")
    world.worklist.delete("jobs/removed")  # as a later tick does
    world.worklist.archived = {"removed/removed"}
    discovering(listed("removed"), listed("newer"), world=world)
    check_jobs(world.checker)
    assert not logged(caplog, "discovery_failed")
    assert "newer.json" in world.jobs.names()
    assert "removed.json" not in world.jobs.names()


def test_a_job_with_an_archived_tombstone_can_be_removed_again(world: World) -> None:
    """It was removed once, and registered again; the tombstone of that time is still there."""
    forget_job(world.manager, JOB)
    world.worklist.archived = {f"removed/{JOB}"}
    world.add(JOB)
    forget_job(world.manager, JOB)
    assert world.jobs.names() == [f"{OLD}.json"]
    assert f"removed/{JOB}" in world.worklist.names()


@pytest.mark.parametrize("kind", ["report", "manifest"])
def test_an_archived_report_or_manifest_postpones_its_own_delivery(kind: str) -> None:
    """Its ticket does not fail five times, and then lie on the poison queue."""
    world = after_delivery()
    (sent,) = world.queue.sent
    if kind == "manifest":
        (name,) = world.stored_manifests()
        world.manifests.archived = {name}
    else:  # with its manifest, the report would not be asked for
        id_ = world.record().manifest_id
        world.manifests.delete(f"{JOB}/{id_}.json")
        world.reports.archived = {f"{JOB}/{id_}/report.json"}
    redeliver_job(world.manager, JOB)
    assert deliver_results(world.deliverer, JOB) is None
    postponement = world.record().attempts.postponement
    assert postponement
    assert "archive tier" in postponement.reason
    world.manifests.archived = world.reports.archived = set()
    world.wait()
    assert deliver_results(world.deliverer, JOB)
    assert json.loads(world.queue.sent[-1])["id"] == json.loads(sent)["id"]


def test_a_job_whose_ticket_is_archived_is_delivered_again() -> None:
    """Tickets of old jobs are archived with the first rule: a ticket is replaced by a new one."""
    world = after_delivery()
    world.tickets.archived = {f"{JOB}.json"}
    redeliver_job(world.manager, JOB)
    assert world.new_tickets() == [JOB]
    assert deliver_results(world.deliverer, JOB)


def test_an_archived_record_is_named_in_a_bulk_redelivery() -> None:
    world = after_delivery()
    world.jobs.archived = {f"{JOB}.json"}
    world.clock.move(minutes=1)
    body = {"outcome": Outcome.VALID, "changedBefore": moment_text(world.clock())}
    (job,) = redeliver_jobs(world.manager, body)["jobs"]
    assert job["result"] == "failed"
    assert "archive tier" in job["detail"]
