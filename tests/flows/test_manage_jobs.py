"""People register, list, redeliver and forget jobs."""

from collections.abc import Callable

import pytest

from gem_core.errors import JobUnknown, RequestError, StageForbids
from gem_core.flows.check_jobs import check_jobs
from gem_core.flows.deliver_results import deliver_results
from gem_core.flows.job_query import DEFAULT_PAGE
from gem_core.flows.list_jobs import list_jobs
from gem_core.flows.manage_jobs import check_job, forget_job, redeliver_job, register_job, show_job
from gem_core.watch.record import Stage
from gem_core.watch.record_json import record_to_bytes, record_to_json
from tests.builders import JOB, OUTPUT, World, answer, finished, logged, matched_file, new_record
from tests.fakes import START
from tests.flows.build import after_delivery


def test_a_new_job_is_watched_from_now_on(caplog: pytest.LogCaptureFixture) -> None:
    world = World()
    new, shown = register_job(
        world.manager, JOB, {"labels": {"a": "b"}, "expectedInputName": "x.parquet"}
    )
    assert new
    assert shown == record_to_json(world.record()) | {"labelsDiffer": False}
    assert (shown["stage"], shown["labels"]) == ("watching", {"a": "b"})
    assert shown["expectedInputName"] == "x.parquet"
    assert world.record().due_at == START
    assert world.marked()
    assert logged(caplog, "job_registered")[0]["job_run_id"] == JOB


def test_a_repeated_registration_writes_the_marker_again() -> None:
    """The first request died before its answer, and its marker may be missing."""
    world = World()
    world.jobs.create(f"{JOB}.json", record_to_bytes(new_record()))
    assert register_job(world.manager, JOB, None)[0] is False
    assert world.marked()


def test_a_registered_job_does_not_change() -> None:
    world = World()
    register_job(world.manager, JOB, {"labels": {"a": "b"}})
    before = world.jobs.get(f"{JOB}.json")
    new, shown = register_job(world.manager, JOB, {"labels": {"other": "x"}})
    assert not new
    assert (shown["labels"], shown["labelsDiffer"]) == ({"a": "b"}, True)
    assert world.jobs.get(f"{JOB}.json") == before


@pytest.mark.parametrize(
    ("body", "differ"),
    [
        (None, False),
        ({}, False),
        ({"labels": None}, False),
        ({"labels": {"a": "b"}}, False),
        ({"labels": {}}, True),
        ({"labels": {"a": "b", "c": "d"}}, True),
    ],
)
def test_a_repeated_registration_says_whether_it_has_other_labels(
    body: object,
    differ: bool,  # noqa: FBT001 - pytest passes it by name
) -> None:
    world = World()
    register_job(world.manager, JOB, {"labels": {"a": "b"}})
    assert register_job(world.manager, JOB, body)[1]["labelsDiffer"] is differ


def test_two_registrations_at_the_same_time_make_one_record() -> None:
    world = World()
    other = World()
    other.jobs, other.worklist = world.jobs, world.worklist

    def overtake() -> None:
        if world.trap.calls == ["jobs.get"]:
            register_job(other.manager, JOB, {"labels": {"by": "other"}})

    world.trap.check = overtake
    new, shown = register_job(world.manager, JOB, {"labels": {"by": "me"}})
    assert not new
    assert shown["labels"] == {"by": "other"}


@pytest.mark.parametrize("job_run_id", ["../x", "a/b", "x" * 300, "", "jöb", "."])
def test_an_invalid_id_is_refused_by_every_route(job_run_id: str) -> None:
    world = World()
    routes: list[Callable[[], object]] = [
        lambda: register_job(world.manager, job_run_id, None),
        lambda: show_job(world.manager, job_run_id),
        lambda: check_job(world.manager, world.checker, job_run_id),
        lambda: redeliver_job(world.manager, job_run_id),
        lambda: forget_job(world.manager, job_run_id),
    ]
    for route in routes:
        with pytest.raises(RequestError, match="is not a valid job id"):
            route()
    assert world.trap.calls == []


def test_an_unknown_job_is_reported() -> None:
    world = World()
    routes: list[Callable[[], object]] = [
        lambda: show_job(world.manager, JOB),
        lambda: check_job(world.manager, world.checker, JOB),
        lambda: redeliver_job(world.manager, JOB),
    ]
    for route in routes:
        with pytest.raises(JobUnknown, match=f"PUT /api/jobs/{JOB}"):
            route()


def test_a_listing_is_paged_and_filtered() -> None:
    world = World()
    world.settle(answer("failed"), "b")
    world.add("a", "c")
    first = list_jobs(world.manager, {"limit": "2"})
    assert [job["jobRunId"] for job in first["jobs"]] == ["a", "b"]
    same = {"outcome": None, "changedAt": START.isoformat()}
    assert first["jobs"] == [
        {"jobRunId": "a", "stage": "watching", "status": None, **same},
        {"jobRunId": "b", "stage": "settled", "status": "failed", **same},
    ]
    second = list_jobs(world.manager, {"limit": "2", "after": first["nextPage"]})
    assert [job["jobRunId"] for job in second["jobs"]] == ["c"]
    assert second["nextPage"] is None
    settled = list_jobs(world.manager, {"stage": "settled"})
    assert [job["jobRunId"] for job in settled["jobs"]] == ["b"]


def test_a_listing_without_a_query_is_the_first_page() -> None:
    world = World()
    world.add(*(f"job-{number:03}" for number in range(DEFAULT_PAGE + 1)))
    page = list_jobs(world.manager, {"stage": "", "limit": "", "after": ""})
    assert len(page["jobs"]) == DEFAULT_PAGE
    assert page["nextPage"]


@pytest.mark.parametrize(
    "query",
    [
        {"stage": "done"},
        {"stage": "WATCHING"},
        {"limit": "0"},
        {"limit": "-1"},
        {"limit": "1001"},
        {"limit": "ten"},
        {"limit": "1.5"},
        {"limit": "\u0661"},
        {"limit": "9" * 5000},
        {"limit": "000100999"},
    ],
    ids=lambda query: ascii(query)[:30],
)
def test_an_invalid_value_of_the_query_is_named(query: dict[str, str]) -> None:
    with pytest.raises(RequestError, match=next(iter(query))) as caught:
        list_jobs(World().manager, query)
    assert len(str(caught.value)) < 200


@pytest.mark.parametrize("limit", ["1", "1000", "007"])
def test_a_limit_within_its_bounds_is_accepted(limit: str) -> None:
    assert list_jobs(World().manager, {"limit": limit})["jobs"] == []


def test_a_delivered_job_can_be_delivered_again() -> None:
    world = after_delivery()
    world.clock.move(hours=1)
    shown = redeliver_job(world.manager, JOB)
    assert shown["stage"] == "settled"
    assert world.marked()
    assert world.new_tickets() == [JOB]
    deliver_results(world.deliverer, JOB)
    first, second = world.queue.sent
    assert first == second  # the output has not changed
    assert world.record().stage is Stage.DELIVERED


def test_a_redelivery_after_an_overwrite_reports_the_new_output() -> None:
    world = after_delivery()
    world.files.write(OUTPUT, matched_file(matched=20))
    redeliver_job(world.manager, JOB)
    deliver_results(world.deliverer, JOB)
    first, second = world.queue.events()
    assert first["id"] != second["id"]
    assert second["data"]["output"]["etag"] == "E2"


def test_a_job_that_is_being_watched_has_nothing_to_deliver() -> None:
    world = World()
    world.add(JOB)
    with pytest.raises(StageForbids, match="still being watched"):
        redeliver_job(world.manager, JOB)
    assert world.new_tickets() == []


def test_a_forgotten_job_is_deleted_and_its_reports_stay(caplog: pytest.LogCaptureFixture) -> None:
    world = after_delivery()
    forget_job(world.manager, JOB)
    assert world.jobs.names() == world.stored_manifests() == []
    assert len(world.reports.names()) == 1
    assert logged(caplog, "job_forgotten")
    forget_job(world.manager, JOB)
    with pytest.raises(JobUnknown):
        show_job(world.manager, JOB)
    assert deliver_results(world.deliverer, JOB) is None


def test_a_forgotten_job_can_be_registered_and_delivered_again() -> None:
    world = after_delivery()
    forget_job(world.manager, JOB)
    world.clock.move(microseconds=1)  # a registration is known by its time
    assert register_job(world.manager, JOB, {"labels": {"second": "life"}})[0]
    check_jobs(world.checker)
    deliver_results(world.deliverer, JOB)
    first, second = world.queue.events()
    assert second["data"]["labels"] == {"second": "life"}
    assert second["id"] != first["id"]


def test_a_job_registered_while_it_is_forgotten_keeps_its_marker() -> None:
    """The second deletion finds the marker of the new registration, and must not delete it."""
    world = after_delivery()
    forget_job(world.manager, JOB)
    other = World(clock=world.clock)
    other.jobs, other.worklist, other.manifests = world.jobs, world.worklist, world.manifests

    def forget() -> None:
        if world.trap.calls[-1] == "worklist.put":
            other.trap.check = register_to_the_end
            forget_job(other.manager, JOB)

    def register_to_the_end() -> None:
        if other.trap.calls[-1] == "jobs.delete":
            world.trap.check = lambda: None
            world.jobs.create(f"{JOB}.json", record_to_bytes(new_record()))

    world.trap.check = forget
    register_job(world.manager, JOB, None)
    assert world.record().stage is Stage.WATCHING
    assert world.marked()


def test_an_operator_can_restore_an_empty_worklist() -> None:
    """As docs/operations.md describes: watching jobs are checked, settled ones are redelivered."""
    world = World()
    world.files.write(OUTPUT, matched_file())
    world.gem.answers = {"a": [answer("running")], "b": [finished()]}
    world.add("a", "b")
    check_jobs(world.checker)
    assert [world.record(name).stage for name in "ab"] == [Stage.WATCHING, Stage.SETTLED]
    for name in world.worklist.names():
        world.worklist.delete(name)
    check_job(world.manager, world.checker, "a")
    redeliver_job(world.manager, "b")
    assert [job.job_run_id for job in world.registry.open_jobs()] == ["a", "b"]


def test_the_marker_of_a_forgotten_job_is_deleted_after_an_hour() -> None:
    world = World()
    world.add(JOB)
    forget_job(world.manager, JOB)
    world.clock.move(minutes=59)
    check_jobs(world.checker)
    assert world.marked()
    world.clock.move(hours=1)
    check_jobs(world.checker)
    assert not world.marked()
