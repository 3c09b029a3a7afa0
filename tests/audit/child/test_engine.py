"""Audits in a child: the same results as in one process, and a child that is used again."""

import os
import signal
import sys
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import UTC, datetime

import pyarrow as pa
import pytest

from gem_core.audit.child.attempt import Attempt, Judged
from gem_core.audit.child.conclusions import Seen
from gem_core.audit.child.engine import Engine
from gem_core.audit.child.in_process import audit_in_process
from gem_core.audit.child.messages import Question
from gem_core.audit.child.process import ChildProcess
from gem_core.audit.child.result import PageOptions
from gem_core.audit.child.self_test import BuiltInFile
from gem_core.audit.judging.not_opened import NotOpened, Obstacle
from gem_core.audit.options import AuditOptions, IdLimits
from gem_core.audit.reading.source import Source
from gem_core.audit.rows.progress import Pass
from gem_core.errors import (
    AuditStopped,
    MachineUnfit,
    OutputChanged,
)
from gem_core.outcome import Outcome
from tests.audit.build import changed, job, matched_table
from tests.audit.child.children import (
    GOOD,
    INPUT,
    LIMITS,
    as_kind,
    audited,
    be_hostile,
    failed,
    in_memory,
    not_audited,
    pid,
)
from tests.audit.child.not_opened import not_opened_in_process

pytestmark = [
    pytest.mark.slow,  # each test starts a child
    pytest.mark.skipif(sys.platform != "linux", reason="the limits are Linux's"),
]

PAGE = PageOptions(datetime(2026, 1, 20, tzinfo=UTC), with_map=True)
CHANGED = NotOpened(Obstacle.CHANGED, "each time")

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


def cpu_seconds(engine: Engine) -> float:
    """What the engine's child has used so far."""
    used = engine._child and engine._child.usage()
    assert used
    return used.cpu_seconds


@pytest.mark.slow
def test_a_child_is_used_again_far_beyond_one_budget_of_cpu() -> None:
    """A budget of one second an audit: the system counts from the start of the process."""
    file = in_memory(matched_table(100_000))
    with Engine(replace(LIMITS, data_bytes=1200 << 20, cpu_seconds=1), os.environ) as engine:
        assert audited(engine, file).rows == 100_000
        first = pid(engine)
        done = 0
        while done < 200 or cpu_seconds(engine) <= 3:  # as many as a fast machine needs
            assert audited(engine, file).rows == 100_000
            done += 1
        assert pid(engine) == first


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


def test_a_child_that_is_killed_as_it_is_asked_is_replaced(
    engine: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The system may end an idle process for its memory a moment before its end is seen."""
    audited(engine, GOOD)
    assert engine._child
    os.kill(pid(engine), signal.SIGKILL)
    engine._child.exit_status()
    monkeypatch.setattr(ChildProcess, "is_idle", property(lambda _: True))
    assert audited(engine, GOOD).outcome is Outcome.VALID
    os.kill(pid(engine), signal.SIGKILL)
    engine._child.exit_status()
    assert engine.not_opened(job(), CHANGED, GOOD).outcome is Outcome.INVALID


def test_a_verdict_that_comes_late_is_not_about_the_next_output(
    engine: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as first:
        be_hostile(first)
        engine.audit(GOOD, replace(job(), job_run_id="unasked"), input_source=None)
    child = engine._child
    assert child
    child.events.put(child.events.get(timeout=60))  # the verdict has come
    monkeypatch.setattr(ChildProcess, "is_idle", property(lambda _: True))  # a moment before
    assert audited(engine, GOOD) == audit_in_process(GOOD, job(), input_source=None)


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
    why = NotOpened(Obstacle.ENDED_EARLY, "ten audits never ended")
    found = shared.not_opened(job(), why, GOOD, page=PAGE)
    assert not_audited(found) == "ten audits never ended"
    assert found.page
    assert found == not_opened_in_process(job(), why, GOOD, page=PAGE)


def test_a_report_of_a_job_that_leads_to_no_file(shared: Engine) -> None:
    why = NotOpened(Obstacle.NAMES, "it is a path")
    found = shared.not_opened(job(), why, None, page=PAGE)
    assert (found.outcome, set(failed(found))) == (Outcome.INVALID, {"names_usable"})
    assert found == not_opened_in_process(job(), why, None, page=PAGE)


def test_a_report_that_cannot_be_made_concludes_nothing(
    engine: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    be_hostile(monkeypatch)
    with pytest.raises(MachineUnfit, match="no report can be made"):
        engine.not_opened(replace(job(), job_run_id="leave 1"), CHANGED, GOOD)


def test_a_report_that_somebody_stops_is_no_fault_of_the_machine(
    engine: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    def stop(self: Attempt, question: Question, heads: bytes) -> Judged | Seen:
        os.kill(self.child.pid, signal.SIGTERM)
        return run(self, question, heads)

    run = Attempt.run
    monkeypatch.setattr(Attempt, "run", stop)
    with pytest.raises(AuditStopped, match="no report can be made"):
        engine.not_opened(job(), CHANGED, GOOD)


def test_a_hostile_child_leaves_the_parent_alive(
    engine: Engine, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    be_hostile(monkeypatch)
    with pytest.raises(MachineUnfit):
        engine.audit(GOOD, replace(job(), job_run_id="leave 1"), input_source=None)
    assert "last line" in caplog.text
