"""Waiting ends when the manifest was sent, and concludes nothing from a failed question."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import timedelta

import pytest

from gem_core.errors import CourierError, JobUnknown, RecordUnreadable, StoreError
from gem_core.flows.wait_for_jobs import EVERY, Waited, Waiter, wait_for
from gem_core.watch.record import JobRecord, Stage
from tests.fakes import FakeClock
from tests.flows.records import delivered, settled, watching

type Seen = JobRecord | CourierError


@dataclass
class World:
    """What is read of each job, look after look; the last one stays."""

    script: dict[str, list[Seen]]
    clock: FakeClock = field(default_factory=FakeClock)
    said: list[str] = field(default_factory=list)
    slept: list[timedelta] = field(default_factory=list)

    def read(self, job_run_id: str) -> JobRecord:
        seen = self.script[job_run_id]
        now = seen.pop(0) if len(seen) > 1 else seen[0]
        if isinstance(now, CourierError):
            raise now
        return now

    def sleep(self, pause: timedelta) -> None:
        self.slept.append(pause)
        self.clock.now += pause

    def wait(self, timeout: timedelta | None = None, jobs: Sequence[str] = ()) -> Waited:
        waiter = Waiter(
            read=self.read,
            clock=self.clock,
            sleep=self.sleep,
            on_change=lambda record: self.said.append(f"{record.job_run_id} {record.stage}"),
            on_failure=lambda job, error: self.said.append(f"{job} {error}"),
            on_round=lambda records: self.said.append(f"{len(records)} open"),
        )
        return wait_for(waiter, jobs or list(self.script), timeout)


def test_it_waits_until_the_manifest_was_sent() -> None:
    world = World(
        {"a": [watching(), watching(status="running"), settled(), settled(), delivered()]}
    )
    found = world.wait()
    assert found.delivered["a"].stage is Stage.DELIVERED
    assert not found.left
    # A look that finds nothing new says nothing.
    assert [line for line in world.said if "open" not in line] == [
        "a watching", "a watching", "a settled", "a delivered",
    ]  # fmt: skip
    assert world.slept == [EVERY] * 4


def test_each_progress_is_a_change() -> None:
    steps: list[Seen] = [watching(status="running", progress=each) for each in (10, 10, 65)]
    world = World({"a": [*steps, delivered()]})
    world.wait()
    assert world.said.count("a watching") == 2


def test_a_delivered_job_is_not_read_again() -> None:
    world = World(
        {"a": [delivered("a"), JobUnknown("forgotten")], "b": [watching("b"), delivered("b")]}
    )
    assert set(world.wait().delivered) == {"a", "b"}


def test_nothing_is_concluded_from_a_failed_question() -> None:
    world = World({"a": [watching(), StoreError("away"), StoreError("away"), delivered()]})
    assert world.wait().delivered
    assert world.said.count("a away") == 2


@pytest.mark.parametrize("error", [JobUnknown("no such job"), RecordUnreadable("newer")])
@pytest.mark.parametrize("looks", [0, 1])
def test_what_waiting_cannot_mend_ends_it(error: CourierError, looks: int) -> None:
    seen: list[Seen] = [watching()]
    world = World({"a": [*seen * looks, error]})
    with pytest.raises(type(error)):
        world.wait()


def test_a_storage_that_never_answered_is_not_waited_for() -> None:
    with pytest.raises(StoreError):
        World({"a": [StoreError("wrong settings")]}).wait(timedelta(minutes=1))


def test_the_time_is_kept_to_the_second_and_ends_with_a_look() -> None:
    world = World({"a": [watching("a")], "b": [delivered("b")]})
    found = world.wait(timedelta(seconds=40))
    assert (set(found.left), set(found.delivered)) == ({"a"}, {"b"})
    assert world.slept == [EVERY, EVERY, timedelta(seconds=10)]
    late = World({"a": [watching(), watching(), watching(), delivered()]})
    assert late.wait(timedelta(seconds=40)).delivered
