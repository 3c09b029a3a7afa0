"""A problem that may pass is waited for; a manifest without all checks is never final."""

from datetime import timedelta
from functools import partial
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest

from gem_core.audit.child.in_process import audit_in_process
from gem_core.audit.child.result import AuditResult
from gem_core.audit.options import AuditOptions, IdLimits, OvertureLimits
from gem_core.audit.overture.release import NoRelease
from gem_core.errors import OutputChanged, OutputError, OutputMissing, OutputUnreachable
from gem_core.flows.check_jobs import check_jobs
from gem_core.flows.deliver_results import deliver_results
from gem_core.flows.delivery import MAX_WAIT
from gem_core.flows.manage_jobs import redeliver_job
from gem_core.watch.record import Stage
from tests.builders import JOB, OUTPUT, World, logged, matched_file
from tests.fakes import START
from tests.flows.build import INPUT, delivered, ids_file, settled, with_input
from tests.parquet_files import parquet_bytes

BUSY = OutputUnreachable("storage answered 503")


def ticks(world: World, *, until: timedelta) -> None:
    """Run a tick each minute, and the deliveries that its tickets trigger."""
    while not world.queue.sent and world.clock() < START + until:
        world.clock.move(minutes=1)
        check_jobs(world.checker)
        for job_run_id in world.new_tickets():
            deliver_results(world.deliverer, job_run_id)


def last(world: World) -> dict[str, Any]:
    event: dict[str, Any] = world.queue.events()[-1]
    return event


def test_an_input_that_cannot_be_opened_is_waited_for(caplog: pytest.LogCaptureFixture) -> None:
    world = with_input()
    world.files.errors[INPUT] = BUSY
    assert deliver_results(world.deliverer, JOB) is None
    assert world.queue.sent == []
    assert world.record().stage is Stage.SETTLED
    assert world.marked()
    (line,) = logged(caplog, "delivery_postponed")
    assert "503" in line["reason"]
    assert not logged(caplog, "output_audited")
    del world.files.errors[INPUT]
    ticks(world, until=MAX_WAIT)
    assert last(world)["data"]["outcome"] == "invalid"  # roads are missing


@pytest.mark.parametrize("error", [BUSY, OutputChanged("replaced")])
@pytest.mark.parametrize("at", [0, 1])
def test_a_read_error_of_the_input_is_waited_for(error: OutputError, at: int) -> None:
    world = with_input()
    reads: list[str] = []

    def fail(name: str) -> None:
        if name == INPUT:
            reads.append(name)
            if len(reads) == at + 1:
                raise error

    world.files.on_read = fail
    world.audit = partial(audit_in_process, options=AuditOptions(two_threads=False))
    world.files.write(INPUT, ids_file(range(100_000), row_group_size=1000))
    assert deliver_results(world.deliverer, JOB) is None
    ticks(world, until=MAX_WAIT)
    assert last(world)["data"]["outcome"] == "invalid"


def test_an_input_that_stays_unreachable_delays_the_manifest_only_for_a_while() -> None:
    world = with_input()
    world.files.errors[INPUT] = OutputUnreachable("refused: 403")
    deliver_results(world.deliverer, JOB)
    ticks(world, until=2 * MAX_WAIT)
    data = last(world)["data"]
    assert (data["outcome"], data["input"]["idsCompared"]) == ("valid", False)
    assert data["input"]["note"] == "the input file cannot be read: refused: 403"
    assert timedelta(0) <= world.clock() - START - MAX_WAIT < timedelta(minutes=2)
    assert world.record().stage is Stage.DELIVERED


def test_the_wait_starts_with_the_problem_not_with_the_settlement() -> None:
    world = with_input()
    world.clock.move(hours=3)
    world.files.errors[INPUT] = BUSY
    assert deliver_results(world.deliverer, JOB) is None
    world.clock.move(MAX_WAIT - timedelta(seconds=1))
    assert deliver_results(world.deliverer, JOB) is None
    world.clock.move(seconds=1)
    assert deliver_results(world.deliverer, JOB)


def test_a_replaced_output_does_not_restart_the_wait() -> None:
    world = with_input()
    world.files.errors[INPUT] = OutputUnreachable("refused: 403")
    for rows in range(20, 20 + MAX_WAIT // timedelta(minutes=2)):
        assert deliver_results(world.deliverer, JOB) is None
        world.clock.move(minutes=2)
        world.files.write(OUTPUT, matched_file(matched=rows))
    assert deliver_results(world.deliverer, JOB)


def in_part() -> World:
    """A world where a manifest was sent without reading the input."""
    world = with_input()
    world.files.errors[INPUT] = BUSY
    deliver_results(world.deliverer, JOB)
    world.clock.move(MAX_WAIT)
    assert delivered(world)["data"]["outcome"] == "valid"
    return world


def test_a_redelivery_audits_again_what_was_audited_in_part() -> None:
    world = in_part()
    first = last(world)
    del world.files.errors[INPUT]
    redeliver_job(world.manager, JOB)
    world.queue.sent.clear()
    second = delivered(world)
    assert second["data"]["outcome"] == "invalid"
    assert second["data"]["input"]["idsCompared"]
    assert second["id"] != first["id"]
    redeliver_job(world.manager, JOB)
    world.queue.sent.clear()
    assert delivered(world) == second


def test_a_redelivery_waits_again() -> None:
    world = in_part()
    redeliver_job(world.manager, JOB)
    assert deliver_results(world.deliverer, JOB) is None
    world.clock.move(MAX_WAIT)
    deliver_results(world.deliverer, JOB)
    first, second = world.queue.events()
    assert second["data"]["outcome"] == "valid"
    assert first["id"] != second["id"]  # a redelivery was requested


def test_a_repeat_sends_what_was_audited_in_part_byte_for_byte() -> None:
    world = with_input()
    world.files.errors[INPUT] = BUSY
    deliver_results(world.deliverer, JOB)
    world.clock.move(MAX_WAIT)
    world.queue.loses = BUSY
    assert deliver_results(world.deliverer, JOB) is None
    world.queue.loses = None
    del world.files.errors[INPUT]
    world.wait()
    deliver_results(world.deliverer, JOB)
    first, second = world.queue.sent
    assert first == second


def test_a_missing_input_is_noted_without_a_wait() -> None:
    world = with_input()
    world.files.errors[INPUT] = OutputMissing("it is not there")
    assert "not there" in delivered(world)["data"]["input"]["note"]


SHUFFLED = [*range(0, 30_000, 2), *range(29_999, 0, -2)]


def shuffled() -> bytes:
    """An output with ids out of order, and no match."""
    columns = {
        "id": pa.array(SHUFFLED, pa.int64()),
        "gers_id": pa.nulls(len(SHUFFLED), pa.string()),
        "match_confidence": pa.nulls(len(SHUFFLED), pa.float64()),
        "match_status": pa.array(["unmatched"] * len(SHUFFLED)),
    }
    return parquet_bytes(pa.table(columns))


def test_a_full_disk_is_waited_for(tmp_path: Path) -> None:
    world = settled(output=shuffled())
    absent = tmp_path / "absent"
    limits = IdLimits(memory_bytes=10_000, folder=absent)
    world.audit = partial(audit_in_process, options=AuditOptions(limits))
    assert deliver_results(world.deliverer, JOB) is None
    absent.mkdir()
    ticks(world, until=MAX_WAIT)
    assert last(world)["data"]["statistics"]["counted"]["roads"]["ids"] == 30_000


def test_a_disk_that_stays_full_delays_the_manifest_only_for_a_while(tmp_path: Path) -> None:
    world = settled(output=shuffled())
    world.files.write(INPUT, shuffled())
    limits = IdLimits(1000, tmp_path / "absent")
    world.audit = partial(audit_in_process, options=AuditOptions(limits))
    deliver_results(world.deliverer, JOB)
    ticks(world, until=2 * MAX_WAIT)
    assert "temporary directory" in last(world)["data"]["input"]["note"]


def test_a_wait_leaves_nothing_beside_the_record() -> None:
    world = with_input()
    world.files.errors[INPUT] = BUSY
    deliver_results(world.deliverer, JOB)
    assert world.record().attempts.waits == {"checks": START}
    assert world.manifests.names() == []


def test_a_wait_for_the_input_leaves_the_time_for_an_output_that_is_replaced() -> None:
    """After a vain wait for the input, an output that was replaced is still audited again."""
    world = with_input()
    world.files.errors[INPUT] = BUSY
    assert deliver_results(world.deliverer, JOB) is None
    world.clock.move(MAX_WAIT)
    audit = world.audit

    def replaced_once(*args: Any, **options: Any) -> AuditResult:  # noqa: ANN401 - as an audit
        world.audit = audit
        result = audit(*args, **options)
        world.files.write(OUTPUT, matched_file(matched=20))
        return result

    world.audit = replaced_once
    assert deliver_results(world.deliverer, JOB) is None
    assert world.queue.sent == []
    event = delivered(world)
    assert event["data"]["output"]["etag"] == world.files.held[OUTPUT][0]
    assert event["data"]["match"]["matches"] == 20


def test_ids_that_were_not_looked_up_are_no_final_answer() -> None:
    """The manifest is not delayed; a redelivery looks them up again."""
    asked: list[str | None] = []

    def unreachable(release: str | None) -> NoRelease:
        asked.append(release)
        return NoRelease("storage answered 503", may_pass=True)

    world = settled()
    world.find_release = unreachable
    world.audit = partial(audit_in_process, options=AuditOptions(overture=OvertureLimits()))
    assert deliver_results(world.deliverer, JOB)
    first = last(world)
    lines = {line["name"]: line for line in first["data"]["checks"]["notPassed"]}
    assert lines["gers_alive"]["detail"] == "storage answered 503"
    assert lines["gers_alive"]["verdict"] == "not_run"
    world.clock.move(minutes=1)
    redeliver_job(world.manager, JOB)
    deliver_results(world.deliverer, JOB)
    assert last(world)["id"] != first["id"]
    assert len(asked) == 2


def test_nobody_asks_overture_unless_it_is_set() -> None:
    world = settled()
    assert deliver_results(world.deliverer, JOB)
    checks = last(world)["data"]["checks"]
    assert "gers_alive" not in {line["name"] for line in checks["notPassed"]}
