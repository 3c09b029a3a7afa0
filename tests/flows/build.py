"""Worlds with which the tests of several flows begin, and what is true after every delivery."""

import json
from collections.abc import Callable, Iterable
from typing import Any

import pyarrow as pa

from gem_core.errors import StoreError
from gem_core.flows.deliver_results import deliver_results
from gem_core.watch.record import Stage
from tests.builders import JOB, OUTPUT, World, answer, check_manifest, finished, matched_file
from tests.fakes import FakeGem, GemAnswer
from tests.parquet_files import parquet_bytes

AWAY = StoreError("queue 'gem-results': storage answered 503")


INPUT = "roads.parquet"


def world_of(*job_run_ids: str, gem_answer: GemAnswer | None = None, concurrency: int = 1) -> World:
    """Registered jobs for which GEM answers `gem_answer`, by default that they are running."""
    each: GemAnswer = answer("running") if gem_answer is None else gem_answer
    gem = FakeGem(**{job_run_id: [each] for job_run_id in job_run_ids})
    world = World(gem=gem, concurrency=concurrency)
    world.add(*job_run_ids)
    return world


def after_delivery() -> World:
    """A world where a job was delivered, and its ticket was handled."""
    world = World()
    world.files.write(OUTPUT, matched_file())
    world.settle(finished())
    deliver_results(world.deliverer, JOB)
    world.new_tickets()
    return world


def settled(gem_answer: dict[str, Any] | None = None, *, output: bytes | None = None) -> World:
    """A world where a job has just settled; by default its output is correct."""
    world = World()
    world.files.write(OUTPUT, matched_file() if output is None else output)
    world.settle(gem_answer or finished())
    return world


def ids_file(ids: Iterable[int], **options: int) -> bytes:
    """A file with only ids."""
    return parquet_bytes(pa.table({"id": pa.array(ids, pa.int64())}), **options)


def with_input(content: bytes | None = None) -> World:
    """A settled job with an input; by default the output lacks some roads of the input."""
    world = settled()
    world.files.write(INPUT, ids_file(range(100)) if content is None else content)
    return world


def delivered(world: World) -> dict[str, Any]:
    """Deliver the job and return the event; asserts what is true after every delivery."""
    world.wait()
    manifest = deliver_results(world.deliverer, JOB)
    assert manifest
    assert world.queue.sent == [manifest.body]
    event = check_manifest(manifest.body)
    assert event["id"] == manifest.id
    record = world.record()
    assert record.stage is Stage.DELIVERED
    assert (record.outcome, record.manifest_id) == (event["data"]["outcome"], manifest.id)
    assert record.delivered_at == world.clock()
    assert not world.marked()
    held = world.reports.get(f"{JOB}/{manifest.id}/report.json")
    assert held
    report = json.loads(held.body)
    assert event["data"]["report"]["url"] == world.reports.url(held.name)
    assert report["id"] == manifest.id
    assert len(report["data"]["checks"]["all"]) >= len(event["data"]["checks"]["notPassed"])
    return event


def overtaken(world: World, other: Callable[[], object]) -> None:
    """Let another process act just before the next time that a record is replaced."""
    real = world.jobs.replace
    left = [other]

    def late(*args: Any, **options: Any) -> str:  # noqa: ANN401 - whatever the store takes
        if left:
            left.pop()()
        return real(*args, **options)

    world.jobs.replace = late  # type: ignore[method-assign]
