"""Failing rows are stored when asked for. A manifest that names them finds them, and no others."""

import io
import json
from functools import partial
from typing import Any
from unittest.mock import Mock

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from gem_core.audit.child.in_process import audit_in_process
from gem_core.audit.options import AuditOptions
from gem_core.errors import StoreMissing
from gem_core.flows.deliver_results import deliver_results
from gem_core.watch.record import Stage
from tests.builders import JOB, OUTPUT, World, check_manifest, finished, logged, matched_file
from tests.fakes import Killed, Trap
from tests.parquet_files import parquet_bytes

BAD = 20
"""Rows whose confidence is out of range."""


def failing_file() -> bytes:
    table = pq.read_table(io.BytesIO(matched_file()))
    place = table.schema.get_field_index("match_confidence")
    values = [2.0] * BAD + table.column(place).to_pylist()[BAD:]
    return parquet_bytes(table.set_column(place, table.schema.field(place), pa.array(values)))


def storing(rows: int = 1_000, *, output: bytes | None = None) -> World:
    """A settled job whose output has failing rows, and an app that stores so many of each check."""
    world = World()
    ask_for(world, rows)
    world.files.write(OUTPUT, failing_file() if output is None else output)
    world.settle(finished())
    return world


def ask_for(world: World, rows: int) -> None:
    world.audit = partial(audit_in_process, options=AuditOptions(failing_rows=rows))


def delivered(world: World) -> dict[str, Any]:
    """The one manifest, after a second try if it takes one."""
    for _ in range(2):
        world.wait()
        deliver_results(world.deliverer, JOB)
    assert world.record().stage is Stage.DELIVERED
    (body,) = set(world.queue.sent)
    return check_manifest(body)


def stored_rows(world: World, event: dict[str, Any]) -> list[dict[str, Any]]:
    """What is behind the address in a manifest."""
    url = event["data"]["report"]["failures"]
    (name,) = [name for name in world.failures.names() if world.failures.url(name) == url]
    held = world.failures.get(name)
    assert held
    rows: list[dict[str, Any]] = pq.read_table(io.BytesIO(held.body)).to_pylist()
    return rows


def test_the_manifest_and_the_report_have_the_address_of_the_rows() -> None:
    world = storing()
    event = delivered(world)
    rows = stored_rows(world, event)
    assert [row["row"] for row in rows if row["check"] == "confidence_range"] == list(range(BAD))
    assert {row["value"] for row in rows if row["check"] == "confidence_range"} == {"2.0"}
    report = world.outbox.report(JOB, event["id"])
    assert report
    assert json.loads(report)["data"]["report"] == event["data"]["report"]


def test_each_check_has_no_more_rows_than_asked_for() -> None:
    world = storing(rows=7)
    rows = stored_rows(world, delivered(world))
    assert len([row for row in rows if row["check"] == "confidence_range"]) == 7


@pytest.mark.parametrize(
    "world", [storing(rows=0), storing(output=matched_file())], ids=["off", "none"]
)
def test_without_failing_rows_nothing_is_stored_and_nothing_asked(world: World) -> None:
    world.trap = Trap()
    assert set(delivered(world)["data"]["report"]) == {"url", "page"}
    assert not world.failures.names()
    assert not [call for call in world.trap.calls if call.startswith("failures.")]


def test_rows_that_cannot_be_stored_hold_no_manifest_back(
    caplog: pytest.LogCaptureFixture,
) -> None:
    """Such as in a deployment of an older version, which made no container."""
    world = storing()
    world.failures.create = Mock(side_effect=StoreMissing("no container"))  # type: ignore[method-assign]
    assert "failures" not in delivered(world)["data"]["report"]
    assert world.record().attempts.postponement is None
    (line,) = logged(caplog, "failures_not_kept")
    assert (line["level"], line["reason"]) == ("WARNING", "no container")


def calls() -> list[str]:
    """Of a delivery that nothing disturbs."""
    world = storing()
    world.trap = Trap()
    deliver_results(world.deliverer, JOB)
    return world.trap.calls


CALLS = calls()


@pytest.mark.parametrize("after", [False, True])
@pytest.mark.parametrize("at", range(len(CALLS)))
def test_whenever_a_delivery_dies_the_address_leads_to_the_rows_of_the_report(
    at: int, *, after: bool
) -> None:
    """The next delivery stores more rows of each check, so that its own are others."""
    world = storing(rows=7)
    world.trap = Trap(at, after=after)
    with pytest.raises(Killed):
        deliver_results(world.deliverer, JOB)
    world.trap = Trap()
    before = {name: world.failures.get(name) for name in world.failures.names()}
    ask_for(world, 9)
    event = delivered(world)
    assert event["data"]["report"] == report_of(world, event)
    rows = [row for row in stored_rows(world, event) if row["check"] == "confidence_range"]
    has_report = "reports.create" in CALLS[: at + after]
    assert len(rows) == (7 if has_report else 9)
    assert {name: world.failures.get(name) for name in before} == before


def test_the_rows_are_stored_before_the_report_that_names_them() -> None:
    assert CALLS.index("failures.create") < CALLS.index("reports.create")


def report_of(world: World, event: dict[str, Any]) -> dict[str, Any]:
    report = world.outbox.report(JOB, event["id"])
    assert report
    links: dict[str, Any] = json.loads(report)["data"]["report"]
    return links
