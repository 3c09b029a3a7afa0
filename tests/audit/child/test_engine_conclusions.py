"""Audits in a child that end without a verdict: what the engine concludes from it."""

import os
import signal
import sys
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path

import pytest

from gem_core.audit.child import self_test
from gem_core.audit.child.attempt import Attempt, Judged
from gem_core.audit.child.conclusions import Seen
from gem_core.audit.child.engine import Engine
from gem_core.audit.child.messages import Question
from gem_core.audit.child.self_test import built_in_file
from gem_core.audit.reading.source import Source
from gem_core.errors import (
    AuditStopped,
    AuditUnfinished,
    MachineUnfit,
    OutputUnreachable,
)
from gem_core.outcome import Outcome
from tests.audit import bombs
from tests.audit.build import write_bytes
from tests.audit.child.children import (
    GOOD,
    INPUT,
    LIMITS,
    Dripping,
    Killing,
    as_kind,
    audited,
    failed,
    not_audited,
    pid,
)
from tests.builders import logged

pytestmark = [
    pytest.mark.slow,  # each test starts a child
    pytest.mark.skipif(sys.platform != "linux", reason="the limits are Linux's"),
]


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


@pytest.mark.parametrize(
    ("name", "given", "attempts"),
    [(signal.SIGXCPU, None, 1), (signal.SIGXCPU, INPUT, 2), (signal.SIGABRT, INPUT, 3)],
)
def test_cpu_time_is_not_used_up_twice_in_the_same_way(
    name: signal.Signals,
    given: Source | None,
    attempts: int,
    engine: Engine,
    caplog: pytest.LogCaptureFixture,
) -> None:
    """That takes minutes, and would do so again. A crash may be chance, and takes a moment."""
    output = as_kind(Killing, GOOD, pid=lambda: pid(engine), number=name)
    not_audited(audited(engine, output, given))
    assert len(logged(caplog, "audit_process_ended")) == attempts


def test_a_machine_that_needs_much_cpu_time_for_the_built_in_file_concludes_nothing(
    engine: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    given: list[int] = []
    run = Attempt.run

    def noted(self: Attempt, question: Question, heads: bytes) -> Judged | Seen:
        given.append(question.cpu_seconds)
        return run(self, question, heads)

    monkeypatch.setattr(Attempt, "run", noted)
    file = as_kind(Killing, built_in_file(), pid=lambda: pid(engine), number=signal.SIGXCPU)
    monkeypatch.setattr(self_test, "built_in_file", lambda: file)
    output = as_kind(Killing, GOOD, pid=lambda: pid(engine), number=signal.SIGXCPU)
    with pytest.raises(MachineUnfit, match="CPU"):
        audited(engine, output)
    assert given == [LIMITS.cpu_seconds, self_test.CPU_SECONDS]


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
@pytest.mark.parametrize("make", [bombs.long_dictionary_of_nothing, bombs.claimed_page])
def test_a_deadly_file_is_not_audited_and_harms_nobody(
    make: Callable[[], bytes], shared: Engine, tmp_path: Path
) -> None:
    file = write_bytes(tmp_path, make())
    reason = "it takes more memory than an audit has (400 MiB)"
    assert not_audited(audited(shared, file, INPUT)) == reason
    assert "auditable" not in failed(audited(shared, GOOD, file))
    assert audited(shared, GOOD, INPUT).report["input"]["idsCompared"] is True


@pytest.mark.slow
def test_a_lack_of_memory_differs_from_broken_data(tmp_path: Path) -> None:
    """Pyarrow reports a page that does not fit as a row group that cannot be read."""
    large = write_bytes(tmp_path, bombs.huge_page(127 << 20))
    with Engine(replace(LIMITS, data_bytes=200 << 20), os.environ) as engine:
        assert "more memory" in not_audited(audited(engine, large))
    with Engine(replace(LIMITS, data_bytes=1200 << 20), os.environ) as engine:
        assert "auditable" not in failed(audited(engine, large))


# Storage.


@pytest.fixture
def hasty(dripping_time: None) -> Iterator[Engine]:  # noqa: ARG001 - begins before the engine
    with Engine(replace(LIMITS, range_seconds=1), os.environ) as engine:
        yield engine


def test_an_output_that_drips_is_unreachable(hasty: Engine) -> None:
    output = as_kind(Dripping, GOOD)
    with pytest.raises(OutputUnreachable, match="did not come"):
        audited(hasty, output)
    output.ends.set()
    assert audited(hasty, GOOD).outcome is Outcome.VALID


@pytest.mark.usefixtures("dripping_time")
def test_an_output_whose_storage_takes_all_the_time_is_unreachable() -> None:
    output = as_kind(Dripping, GOOD)
    limits = replace(LIMITS, wall_seconds=1)
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
