"""Durations of earlier jobs are stored within limits, and no check depends on them."""

import json
from datetime import timedelta

import pytest

from gem_core.errors import StoreError
from gem_core.flows.check_jobs import check_jobs
from gem_core.watch.durations import (
    MAX_KEPT,
    MAX_KINDS,
    NAME,
    Durations,
    DurationStore,
    JobDuration,
    kind,
)
from gem_core.watch.expectation import observed_durations
from gem_core.watch.record import Stage
from tests.builders import JOB, World, answer, job, logged, new_record
from tests.fakes import START, MemoryDocuments, Trap

pytestmark = pytest.mark.usefixtures("all_levels")


def store(documents: MemoryDocuments, trap: Trap | None = None) -> DurationStore:
    return DurationStore(trap.around(documents, "durations") if trap else documents)


def test_stored_durations_are_read_again() -> None:
    documents = MemoryDocuments()
    name = kind(job()) or ""
    store(documents).add(Durations(), [JobDuration(name, 60.0)])
    store(documents).add(
        store(documents).read(), [JobDuration(name, 70.0), JobDuration("other", 1.0)]
    )
    assert store(documents).read().of(job()) == (60.0, 70.0)


def test_only_the_latest_durations_and_kinds_are_stored() -> None:
    known = Durations().adding(JobDuration("a", float(n)) for n in range(MAX_KEPT + 5))
    assert known.seconds["a"] == tuple(float(n) for n in range(5, MAX_KEPT + 5))
    known = known.adding(JobDuration(f"k{n}", 1.0) for n in range(MAX_KINDS - 1))
    known = known.adding([JobDuration("a", 1.0), JobDuration("new", 1.0)])
    assert len(known.seconds) == MAX_KINDS
    assert {"a", "new"} < known.seconds.keys()  # "a" ran again, k0 did not
    assert "k0" not in known.seconds


def test_after_a_conflict_the_durations_are_read_again() -> None:
    documents = MemoryDocuments()
    store(documents).add(Durations(), [JobDuration("a", 1.0)])
    stale = store(documents).read()
    store(documents).add(stale, [JobDuration("a", 2.0)])
    store(documents).add(stale, [JobDuration("a", 3.0)])
    store(documents).add(Durations(), [JobDuration("b", 4.0)])  # as if there were no document
    assert store(documents).read().seconds == {"a": (1.0, 2.0, 3.0), "b": (4.0,)}


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"[]",
        b"{}",
        b'{"secondsByKind": []}',
        b'{"secondsByKind": {"a": 3}}',
        b'{"secondsByKind": {"a": ["x"]}}',
        b'{"secondsByKind": {"a": [1' + b"0" * 400 + b"]}}",
        b"\xff",
        b"[" * 100_000,
    ],
)
def test_an_unreadable_document_is_replaced(body: bytes) -> None:
    documents = MemoryDocuments()
    documents.put(NAME, body)
    known = store(documents).read()
    assert known.seconds == {}
    store(documents).add(known, [JobDuration("a", 1.0)])
    assert store(documents).read().seconds == {"a": (1.0,)}


def test_numbers_that_are_not_durations_are_ignored() -> None:
    documents = MemoryDocuments()
    odd = {"a": [-1, 0, 5, 1e300, float("nan")]}
    documents.put(NAME, json.dumps({"secondsByKind": odd}).encode())
    assert store(documents).read().seconds == {"a": (5.0,)}


def test_a_storage_error_is_logged_and_not_raised(caplog: pytest.LogCaptureFixture) -> None:
    trap = Trap()

    def refuse() -> None:
        raise StoreError("503")

    trap.check = refuse
    documents = MemoryDocuments()
    known = store(documents, trap).read()
    store(documents, trap).add(known, [JobDuration("a", 1.0)])
    assert known == Durations()
    assert [line["reason"] for line in logged(caplog, "durations_not_kept")] == ["503", "503"]


def test_without_a_new_duration_nothing_is_written() -> None:
    documents = MemoryDocuments()
    store(documents).add(Durations(), [])
    assert documents.names() == []


def test_the_kind_of_a_job_depends_on_its_input() -> None:
    assert kind(job(inputFileName=None)) is None
    assert kind(job()) == kind(job(progress=5))
    assert kind(job()) != kind(job(inputFileName="other.parquet"))
    assert len(kind(job(inputFileName="x" * 5000)) or "") <= 300


def test_the_duration_ends_at_gems_modified_at_if_it_is_plausible() -> None:
    record = new_record().answered(job("queued"), START)
    record = record.answered(job("running"), START + timedelta(minutes=10))
    end = START + timedelta(minutes=40)
    changed = record.answered(
        job("finished", modifiedAt=(end).isoformat()), end + timedelta(hours=1)
    )
    assert [each.seconds for each in observed_durations(changed)] == [1800]
    unchanged = record.answered(job("finished"), end)  # modifiedAt did not change
    assert [each.seconds for each in observed_durations(unchanged)] == [1800]


def test_a_later_job_on_the_same_input_is_checked_near_its_end() -> None:
    world = World()
    for number in range(6):
        job_run_id = f"{JOB}-{number}"
        begun, asked = world.clock(), len(world.gem.asked)
        created = begun.isoformat()
        world.add(job_run_id)
        world.gem.answers[job_run_id] = [answer("running", createdAt=created)]
        while world.record(job_run_id).stage is Stage.WATCHING:
            if world.clock() - begun >= timedelta(minutes=100, seconds=20):
                world.gem.answers[job_run_id] = [answer("finished", createdAt=created)]
            check_jobs(world.checker)
            world.clock.move(minutes=1)
        world.registry.remove(job_run_id)
    assert world.clock() - begun < timedelta(minutes=103)
    assert len(world.gem.asked) - asked < 30
    (known,) = DurationStore(world.worklist).read().seconds.values()
    assert len(known) == 6


def test_a_failed_job_adds_no_duration() -> None:
    world = World()
    world.add(JOB)
    world.gem.answers[JOB] = [answer("failed")]
    check_jobs(world.checker)
    assert NAME not in world.worklist.names()
