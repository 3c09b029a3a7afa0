"""Audits in a child: the same results, and the right conclusion when there is none."""

import os
import signal
import sys
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import UTC, datetime
from functools import partial
from pathlib import Path

import pyarrow as pa
import pytest

from gem_core.audit.child import engine as module
from gem_core.audit.child import self_test
from gem_core.audit.child.attempt import Attempt, Judged
from gem_core.audit.child.conclusions import Seen
from gem_core.audit.child.engine import Engine
from gem_core.audit.child.in_process import audit_in_process
from gem_core.audit.child.messages import Question
from gem_core.audit.child.result import AuditResult, PageOptions
from gem_core.audit.child.self_test import BuiltInFile, built_in_file
from gem_core.audit.options import AuditOptions, IdLimits
from gem_core.audit.reading.source import Source
from gem_core.audit.rows.progress import Pass
from gem_core.errors import (
    AuditStopped,
    AuditUnfinished,
    MachineUnfit,
    OutputChanged,
    OutputUnreachable,
)
from gem_core.outcome import Outcome
from tests.audit import bombs
from tests.audit.build import changed, input_table, job, matched_table, write_bytes
from tests.audit.child import deadly
from tests.audit.child.children import LIMITS, Dripping, Killing, as_kind, be_hostile, in_memory

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="the limits are Linux's")

PAGE = PageOptions(datetime(2026, 1, 20, tzinfo=UTC), with_map=True)
GOOD = in_memory(matched_table())
INPUT = in_memory(input_table(), "roads.parquet")


@pytest.fixture(scope="module")
def shared() -> Iterator[Engine]:
    """For tests that leave the child as it was."""
    with Engine(LIMITS, os.environ) as engine:
        yield engine


@pytest.fixture
def engine() -> Iterator[Engine]:
    with Engine(LIMITS, os.environ) as engine:
        yield engine


def pid(engine: Engine) -> int:
    assert engine._child
    return engine._child.pid


def audited(engine: Engine, output: Source, given: Source | None = None) -> AuditResult:
    return engine.audit(output, job(), input_source=given)


def failed(result: AuditResult) -> dict[str, str]:
    lines = result.report["checks"]["all"]
    return {line["name"]: line.get("detail", "") for line in lines if line["verdict"] == "failed"}


def not_audited(result: AuditResult) -> str:
    """Why it was not."""
    assert result.outcome is Outcome.NOT_AUDITED
    (reason,) = failed(result).values()
    return reason


OUTPUTS: dict[str, tuple[Source, Source | None]] = {
    "good": (GOOD, INPUT),
    "without input": (GOOD, None),
    "repeated ids": (in_memory(changed(matched_table(), "id", r3=100)), INPUT),
    "no columns": (in_memory(pa.table({"x": [1]})), INPUT),
    "not Parquet": (BuiltInFile(b"PAR1" + bytes(100)), INPUT),
    "empty": (BuiltInFile(b""), INPUT),
    "with a head": (replace(GOOD, head=GOOD.data[:4]), replace(INPUT, head=INPUT.data[:20])),
    "input that is not Parquet": (GOOD, BuiltInFile(b"nothing")),
}


@pytest.mark.parametrize("name", OUTPUTS)
def test_the_result_is_that_of_an_audit_in_this_process(name: str, shared: Engine) -> None:
    output, given = OUTPUTS[name]
    progress: list[tuple[Pass, int, int]] = []
    words = {
        "input_source": given,
        "input_note": "" if given else "turned off",
        "expected_input": "roads.parquet",
        "options": AuditOptions(IdLimits(1 << 20), two_threads=True, with_values=True),
        "page": PAGE,
    }
    found = shared.audit(output, job(), on_rows=lambda *step: progress.append(step), **words)  # type: ignore[arg-type] # words of several types
    assert found == audit_in_process(output, job(), **words)  # type: ignore[arg-type] # as above
    assert found.page
    if "no" not in name and "empty" not in name:
        assert progress[-1][1:] == (12, 12)


@pytest.mark.slow
def test_a_child_is_used_again_far_beyond_one_budget_of_cpu() -> None:
    """A budget of one second an audit: the system counts from the start of the process."""
    file = in_memory(matched_table(100_000))
    with Engine(replace(LIMITS, data_bytes=1200 << 20, cpu_seconds=1), os.environ) as engine:
        assert audited(engine, file).rows == 100_000
        first = pid(engine)
        for _ in range(200):
            assert audited(engine, file).rows == 100_000
        assert pid(engine) == first
        used = engine._child and engine._child.usage()
        assert used
        assert used.cpu_seconds > 3


def test_a_child_lives_longer_than_the_thread_that_asked(shared: Engine) -> None:
    pids = []
    for _ in range(2):
        with ThreadPoolExecutor(1) as pool:
            assert pool.submit(audited, shared, GOOD).result().outcome is Outcome.VALID
        pids.append(pid(shared))
    assert pids[0] == pids[1]


@pytest.mark.slow
def test_a_child_that_could_not_read_a_file_is_renewed(engine: Engine) -> None:
    audited(engine, GOOD)
    first = pid(engine)
    audited(engine, in_memory(changed(matched_table(), "id", r3=100)))
    assert pid(engine) == first
    audited(engine, BuiltInFile(GOOD.data[:-100] + GOOD.data[-90:]))
    audited(engine, GOOD)
    second = pid(engine)
    assert second != first
    audited(engine, GOOD, BuiltInFile(b"PAR1" + bytes(100) + b"PAR1"))
    audited(engine, GOOD)
    assert pid(engine) != second


def test_a_child_that_keeps_much_memory_is_renewed() -> None:
    with Engine(replace(LIMITS, data_bytes=180 << 20), os.environ) as engine:
        audited(engine, GOOD)
        assert engine._child is None


def test_a_child_that_died_meanwhile_is_replaced(engine: Engine) -> None:
    audited(engine, GOOD)
    assert engine._child
    os.kill(pid(engine), signal.SIGKILL)
    engine._child.exit_status()
    assert audited(engine, GOOD).outcome is Outcome.VALID


# What is concluded.


@pytest.mark.slow
@pytest.mark.parametrize("name", [signal.SIGABRT, signal.SIGSEGV, signal.SIGXCPU])
def test_an_output_that_ends_the_child_is_not_audited(name: signal.Signals, engine: Engine) -> None:
    output = as_kind(Killing, GOOD, pid=lambda: pid(engine), number=name)
    reason = not_audited(audited(engine, output))
    assert name.name in reason or (name is signal.SIGXCPU and "CPU" in reason)
    assert audited(engine, GOOD).outcome is Outcome.VALID


@pytest.mark.slow
def test_an_input_that_ends_the_child_is_left_out_and_named(engine: Engine) -> None:
    given = as_kind(Killing, INPUT, pid=lambda: pid(engine), number=signal.SIGABRT)
    found = audited(engine, GOOD, given)
    assert found.outcome is Outcome.VALID
    assert "SIGABRT" in found.input_left_out
    assert found.report["input"]["note"] == found.input_left_out
    assert found.report["input"]["idsCompared"] is False


@pytest.mark.slow
def test_a_machine_that_fails_the_built_in_file_concludes_nothing(
    engine: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    broken = replace(built_in_file(), data=b"not Parquet")
    monkeypatch.setattr(self_test, "built_in_file", lambda: broken)
    output = as_kind(Killing, GOOD, pid=lambda: pid(engine), number=signal.SIGABRT)
    with pytest.raises(MachineUnfit, match="SIGABRT"):
        audited(engine, output)


@pytest.mark.parametrize("mebibytes", [8, 60])
def test_a_child_that_does_not_start_concludes_nothing(mebibytes: int) -> None:
    """Too little memory to import what an audit needs."""
    limits = replace(LIMITS, data_bytes=mebibytes << 20)
    with Engine(limits, os.environ) as engine, pytest.raises(MachineUnfit, match="not start"):
        audited(engine, GOOD)


def test_a_child_that_is_never_ready_concludes_nothing() -> None:
    limits = replace(LIMITS, start_seconds=0)
    with Engine(limits, os.environ) as engine, pytest.raises(MachineUnfit, match="not start"):
        audited(engine, GOOD)


def test_a_program_that_is_not_there_concludes_nothing(
    engine: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sys, "executable", "/absent/python")
    with pytest.raises(MachineUnfit, match="/absent/python"):
        audited(engine, GOOD)


def test_a_child_that_is_killed_counts(engine: Engine) -> None:
    output = as_kind(Killing, GOOD, pid=lambda: pid(engine), number=signal.SIGKILL)
    with pytest.raises(AuditUnfinished, match="killed"):
        audited(engine, output)


def test_a_child_that_is_stopped_says_nothing(engine: Engine) -> None:
    output = as_kind(Killing, GOOD, pid=lambda: pid(engine), number=signal.SIGTERM)
    with pytest.raises(AuditStopped):
        audited(engine, output)


def test_an_engine_that_is_closed_meanwhile_says_nothing(engine: Engine) -> None:
    output = as_kind(Dripping, GOOD)
    with ThreadPoolExecutor(1) as pool:
        waiting = pool.submit(audited, engine, output)
        output.began.wait(60)
        engine.close()
        with pytest.raises(AuditStopped):
            waiting.result()
    output.ends.set()
    with pytest.raises(AuditStopped):
        audited(engine, GOOD)


@pytest.mark.slow
@pytest.mark.parametrize(
    ("make", "reason"),
    [
        (bombs.deadly_statistics, "the reader crashed (SIGABRT)"),
        (deadly.encrypted_column, "the reader crashed (SIGABRT)"),
        (deadly.unknown_codec, "the reader crashed (SIGABRT)"),
        (
            partial(bombs.long_dictionary, rows=2000),
            "it takes more memory than an audit has (400 MiB)",
        ),
    ],
)
def test_a_deadly_file_is_not_audited_and_harms_nobody(
    make: Callable[[], bytes], reason: str, shared: Engine, tmp_path: Path
) -> None:
    file = write_bytes(tmp_path, make())
    assert not_audited(audited(shared, file, INPUT)) == reason
    assert "auditable" not in failed(audited(shared, GOOD, file))
    assert audited(shared, GOOD, INPUT).report["input"]["idsCompared"] is True


@pytest.mark.slow
def test_a_lack_of_memory_is_told_from_broken_data(tmp_path: Path) -> None:
    """Pyarrow reports a page that does not fit as a row group that cannot be read."""
    large = write_bytes(tmp_path, bombs.huge_page(127 << 20))
    with Engine(replace(LIMITS, data_bytes=200 << 20), os.environ) as engine:
        assert "more memory" in not_audited(audited(engine, large))
    with Engine(replace(LIMITS, data_bytes=1200 << 20), os.environ) as engine:
        assert "auditable" not in failed(audited(engine, large))


# Storage.


@pytest.fixture
def hasty() -> Iterator[Engine]:
    with Engine(replace(LIMITS, range_seconds=0.2), os.environ) as engine:
        yield engine


def test_an_output_that_drips_is_unreachable(hasty: Engine) -> None:
    output = as_kind(Dripping, GOOD)
    with pytest.raises(OutputUnreachable, match="did not come"):
        audited(hasty, output)
    output.ends.set()
    assert audited(hasty, GOOD).outcome is Outcome.VALID


def test_an_output_whose_storage_takes_all_the_time_is_unreachable() -> None:
    output = as_kind(Dripping, GOOD)
    limits = replace(LIMITS, wall_seconds=0.3)
    with Engine(limits, os.environ) as engine, pytest.raises(OutputUnreachable, match="too slow"):
        audited(engine, output)
    output.ends.set()


def test_an_input_that_drips_costs_the_comparison(hasty: Engine) -> None:
    given = as_kind(Dripping, INPUT)
    found = audited(hasty, GOOD, given)
    given.ends.set()
    assert found.outcome is Outcome.VALID
    assert "did not come" in found.temporary_problem
    assert found.input_left_out == ""


def test_reads_that_never_end_are_bounded(hasty: Engine, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "MAX_STUCK_READS", 0)
    output = as_kind(Dripping, GOOD)
    with pytest.raises(OutputUnreachable, match="did not come"):
        audited(hasty, output)
    with pytest.raises(OutputUnreachable, match="1 earlier reads from storage have not ended"):
        audited(hasty, GOOD)
    output.ends.set()
    for thread in threading.enumerate():
        if thread.name == "audit-range":
            thread.join(60)
    assert audited(hasty, GOOD).outcome is Outcome.VALID


class _Changing(BuiltInFile):
    def read(self, offset: int, length: int) -> bytes:
        raise OutputChanged(f"replaced: {offset} {length}")


def test_an_output_that_changes_is_raised_as_it_was(shared: Engine) -> None:
    with pytest.raises(OutputChanged, match="replaced"):
        audited(shared, as_kind(_Changing, GOOD))


def test_an_interruption_ends_the_child(engine: Engine) -> None:
    audited(engine, GOOD)

    def interrupt(*_: object) -> None:
        raise KeyboardInterrupt

    child = engine._child
    assert child
    with pytest.raises(KeyboardInterrupt):
        engine.audit(GOOD, job(), input_source=None, on_rows=interrupt)
    assert child.exit_status() == -signal.SIGKILL
    assert audited(engine, GOOD).outcome is Outcome.VALID


def test_one_audit_at_a_time(engine: Engine, monkeypatch: pytest.MonkeyPatch) -> None:
    """Another thread waits for its turn."""
    under_way: list[Attempt] = []
    run = Attempt.run

    def counted(self: Attempt, question: Question, heads: bytes) -> Judged | Seen:
        under_way.append(self)
        assert under_way == [self]
        try:
            return run(self, question, heads)
        finally:
            under_way.pop()

    monkeypatch.setattr(Attempt, "run", counted)
    with ThreadPoolExecutor(4) as pool:
        for found in pool.map(lambda _: audited(engine, GOOD), range(40)):
            assert found.outcome is Outcome.VALID


def test_a_report_without_an_audit(shared: Engine) -> None:
    found = shared.not_audited(GOOD, job(), "ten audits never ended", page=PAGE)
    assert not_audited(found) == "ten audits never ended"
    assert found.page


def test_a_report_that_cannot_be_made_concludes_nothing(
    engine: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    be_hostile(monkeypatch)
    with pytest.raises(MachineUnfit, match="no report can be made"):
        engine.not_audited(GOOD, replace(job(), job_run_id="leave 1"), "so it is")


def test_a_hostile_child_leaves_the_parent_alive(
    engine: Engine, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    be_hostile(monkeypatch)
    with pytest.raises(MachineUnfit):
        engine.audit(GOOD, replace(job(), job_run_id="leave 1"), input_source=None)
    assert "last line" in caplog.text
