"""One audit in one child: whatever the child does, it ends with something to conclude from."""

import signal
import sys
from collections.abc import Iterator
from dataclasses import replace
from itertools import count
from queue import Empty, Queue
from types import SimpleNamespace
from typing import Any
from unittest.mock import Mock

import pytest

from gem_core.audit.child import environment, process
from gem_core.audit.child.attempt import Attempt, Judged
from gem_core.audit.child.conclusions import End, Overdue, Seen, end_of
from gem_core.audit.child.frames import ChannelLost
from gem_core.audit.child.messages import MAX_RANGE_BYTES, OUT_OF_MEMORY, PARENT_GONE, Begun
from gem_core.audit.child.process import ChildProcess, Lost
from gem_core.audit.child.self_test import BuiltInFile
from gem_core.audit.child.untrusted_page import START
from gem_core.audit.child.usage import Usage
from gem_core.errors import OutputChanged, OutputUnreachable
from gem_core.outcome import Outcome
from tests.audit.child.children import (
    LIMITS,
    Dripping,
    attempt,
    attempt_in,
    be_hostile,
    ready_child,
)
from tests.audit.child.hostile import VERDICT

pytestmark = [
    pytest.mark.slow,  # each test starts a child
    pytest.mark.skipif(sys.platform != "linux", reason="the limits are Linux's"),
]

BEGUN = Begun("token")


@pytest.fixture(autouse=True)
def _hostile(monkeypatch: pytest.MonkeyPatch) -> None:
    be_hostile(monkeypatch)


@pytest.fixture
def dripping() -> Iterator[Dripping]:
    file = Dripping(bytes(1000))
    yield file
    file.ends.set()


@pytest.fixture
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    """A frame and an end have a tenth of a second."""
    monkeypatch.setattr(process, "FRAME_SECONDS", 0.1)
    monkeypatch.setattr(process, "_END_SECONDS", 0.1)


def seen(act: str, *sources: BuiltInFile, **limits: Any) -> Seen:  # noqa: ANN401 - numbers
    found, _ = attempt(act, replace(LIMITS, **limits), sources or (BuiltInFile(bytes(1000)),))
    assert isinstance(found, Seen)
    return found


def judged(act: str, **limits: Any) -> Judged:  # noqa: ANN401 - numbers
    found, _ = attempt(act, replace(LIMITS, **limits))
    assert isinstance(found, Judged)
    return found


def test_failing_rows_that_nobody_asked_for_are_dropped() -> None:
    assert judged("rows").result.failures is None


@pytest.mark.parametrize(
    "act",
    [
        "wild_range 1 1 0 10",
        "wild_range 1 -1 0 10",
        "wild_range 1 0 -1 10",
        "wild_range 1 0 991 10",
        f"wild_range 1 0 {1 << 62} 10",
        "wild_range 1 0 0 0",
        "wild_range 1 0 0 -5",
        "gibibyte",
        "outcome failed",
        "no_such_failure",
    ],
)
def test_a_child_that_breaks_the_protocol_has_crashed(act: str) -> None:
    found = seen(act)
    assert found.broken
    assert end_of(found) is End.CRASHED


def lost_by(*events: object, exit_status: int | None, sends: bool = True) -> Judged | Seen:
    """An attempt in which these events come, each a while later; or nothing can be sent at all."""
    child = Mock(ended_by_us=False, over_memory=False, stderr="")
    child.events.get.side_effect = [
        each for event in (BEGUN, *events) for each in (Empty(), Empty(), (event, b""))
    ]
    child.exit_status.return_value = exit_status
    server = Mock(served_bytes=0, waiting=Mock(seconds=0.0), is_waited_for=False)
    if not sends:
        child.channel.send.side_effect = ChannelLost("closed")
        server.give_up_overdue.side_effect = ChannelLost("closed")
    asked = Attempt(child, server, LIMITS, is_fresh=True, on_rows=None)
    return asked.run(Mock(verdicts=1, token="token"), b"")


@pytest.mark.parametrize("sends", [True, False])
def test_a_breach_is_the_reason_whether_or_not_a_send_found_no_connection(*, sends: bool) -> None:
    """The thread that receives closes the connection, and says why a while later."""
    breach = Lost("a frame of 1 GiB", broke_protocol=True)
    found = lost_by(breach, exit_status=PARENT_GONE, sends=sends)
    assert isinstance(found, Seen)
    assert found.broken == "a frame of 1 GiB"
    assert end_of(found) is End.CRASHED


@pytest.mark.parametrize("sends", [True, False])
def test_a_verdict_that_was_sent_counts_when_nothing_can_be_sent_any_more(*, sends: bool) -> None:
    ended = Lost("the stream ended", broke_protocol=False)
    found = lost_by(VERDICT, ended, exit_status=-signal.SIGABRT, sends=sends)
    assert isinstance(found, Judged)
    assert found.result.outcome is Outcome.VALID
    assert "crashed" in found.result.page_problem


@pytest.mark.parametrize("exit_status", [None, PARENT_GONE])
def test_a_child_that_missed_a_frame_hung_also_when_it_went_on(exit_status: int | None) -> None:
    """When it goes on, it sees that the connection is gone, and ends. That is no crash."""
    late = Lost("a frame began and did not end in time", broke_protocol=False)
    found = lost_by(late, exit_status=exit_status)
    assert isinstance(found, Seen)
    assert end_of(found) is End.OVERDUE


def test_a_range_has_at_most_16_mib() -> None:
    large = BuiltInFile(bytes(MAX_RANGE_BYTES + 1))
    assert "no range of" in seen(f"wild_range 1 0 0 {MAX_RANGE_BYTES + 1}", large).broken


def test_few_ranges_may_be_outstanding(dripping: Dripping) -> None:
    assert "too many requests" in seen("many_ranges", dripping).broken


@pytest.mark.usefixtures("impatient")
@pytest.mark.parametrize("act", ["half_a_frame", "close", "deaf"])
def test_a_child_that_stops_in_a_frame_hangs(act: str) -> None:
    found = seen(act, BuiltInFile(bytes(MAX_RANGE_BYTES)))
    assert found.overdue is Overdue.QUIET
    assert end_of(found) is End.OVERDUE


def test_a_child_without_cpu_hangs() -> None:
    found = seen("hang", quiet_seconds=0.1)
    assert found.overdue is Overdue.QUIET
    assert found.waited_seconds == 0 < found.worked_seconds


def test_a_child_that_works_does_not_hang(monkeypatch: pytest.MonkeyPatch) -> None:
    used = (Usage(seconds, 0, 0) for seconds in count())
    monkeypatch.setattr(ChildProcess, "usage", lambda _: next(used))
    readings = count()  # of the clock: each is a second later
    clock = SimpleNamespace(monotonic=lambda: float(next(readings)))
    monkeypatch.setattr("gem_core.audit.child.attempt.time", clock)
    found = seen("hang", quiet_seconds=0.5, wall_seconds=10)
    assert next(used).cpu_seconds > 2
    assert found.overdue is Overdue.WALL
    assert end_of(found) is End.OVERDUE


@pytest.mark.slow
def test_cpu_is_bounded() -> None:
    assert end_of(seen("spin", cpu_seconds=1)) is End.CPU


@pytest.mark.usefixtures("dripping_time")
def test_a_wait_for_storage_is_no_hang_and_no_work(dripping: Dripping) -> None:
    found = seen("wild_range 1 0 0 10", dripping, quiet_seconds=1, wall_seconds=5)
    assert found.overdue is Overdue.WALL
    assert (found.waited_seconds, found.worked_seconds) == (6, 0)
    assert end_of(found) is End.STORAGE


@pytest.mark.usefixtures("dripping_time")
def test_a_range_that_does_not_come_ends_the_audit_in_the_words_of_the_parent(
    dripping: Dripping,
) -> None:
    with pytest.raises(OutputUnreachable, match="10 bytes did not come in 2 s; try again"):
        seen("read_and_report 1 0 0 10", dripping, range_seconds=1)


@pytest.mark.usefixtures("dripping_time")
def test_a_slow_storage_ends_the_audit(dripping: Dripping) -> None:
    with pytest.raises(OutputUnreachable, match="only 0 bytes came in 2 s"):
        seen("read_and_report 1 0 0 10", dripping, storage_seconds=1)


class _Failing(BuiltInFile):
    def read(self, offset: int, length: int) -> bytes:
        assert offset == 0
        raise {1: OutputChanged("replaced"), 2: ValueError("https://a/c?sig=secret")}[length]


@pytest.mark.parametrize(("length", "error"), [(1, OutputChanged), (2, ValueError)])
def test_what_storage_raises_is_raised_as_it_is(length: int, error: type[Exception]) -> None:
    with pytest.raises(error, match=r"replaced|secret"):
        seen(f"read_and_report 1 0 0 {length}", _Failing(bytes(9)))


class _Short(BuiltInFile):
    def read(self, offset: int, length: int) -> bytes:
        return self.data[offset : offset + length - 1]


def test_a_range_that_comes_short_is_not_served() -> None:
    with pytest.raises(OutputUnreachable, match="9 of 10 bytes came"):
        seen("read_and_report 1 0 0 10", _Short(bytes(99)))


@pytest.mark.parametrize(
    ("act", "end"),
    [
        (f"die {signal.SIGABRT}", End.CRASHED),
        (f"die {signal.SIGSEGV}", End.CRASHED),
        (f"die {signal.SIGBUS}", End.CRASHED),
        (f"die {signal.SIGILL}", End.CRASHED),
        (f"die {signal.SIGKILL}", End.KILLED),
        (f"die {signal.SIGTERM}", End.STOPPED),
        (f"leave {OUT_OF_MEMORY}", End.MEMORY),
        ("die_without_memory", End.MEMORY),
        ("leave 1", End.CRASHED),
    ],
)
def test_the_end_of_the_child_is_seen(act: str, end: End) -> None:
    assert end_of(seen(act)) is end


def test_the_end_of_standard_error_is_kept() -> None:
    _, child = attempt("leave 1")
    assert child.stderr.endswith("xxxlast line")
    assert len(child.stderr) == 4096


def test_memory_is_watched_where_the_system_does_not_bound_it(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(process, "MEMORY_IS_LIMITED", value=False)
    monkeypatch.setattr(process, "_WATCH_SECONDS", 0.01)
    command = environment.command
    monkeypatch.setattr(
        environment, "command", lambda **words: command(**words | {"data_bytes": 1 << 40})
    )
    found = seen("grow", data_bytes=200 << 20)
    assert found.over_memory
    assert end_of(found) is End.MEMORY


@pytest.mark.parametrize(
    ("act", "limits", "problem"),
    [
        ("die_in_the_page", {}, "the reader crashed"),
        pytest.param(
            "spin_in_the_page",
            {"page_cpu_seconds": 1, "cpu_seconds": 1},
            "more CPU time",
            marks=pytest.mark.slow,
        ),
        ("hang_in_the_page", {"page_wall_seconds": 0.1}, "did not end in time"),
    ],
)
def test_a_page_that_cannot_be_drawn_costs_the_page(
    act: str, limits: dict[str, float], problem: str
) -> None:
    found = judged(act, **limits)
    assert found.result.outcome is Outcome.VALID
    assert found.result.page is None
    assert problem in found.result.page_problem
    assert found.needs_renewal


def test_a_page_without_cpu_costs_the_page() -> None:
    child = Mock(ended_by_us=False, over_memory=False, events=Queue())
    child.usage.return_value = Usage(1, 0, 0)
    child.events.put((BEGUN, b""))
    child.events.put((VERDICT, b""))
    server = Mock(is_waited_for=False, served_bytes=0, waiting=Mock(seconds=0.0))
    limits = replace(LIMITS, quiet_seconds=0, page_wall_seconds=60)
    found = Attempt(child, server, limits, is_fresh=True, on_rows=None).run(
        Mock(verdicts=1, token="token"), b""
    )
    assert isinstance(found, Judged)
    assert found.result.outcome is Outcome.VALID
    assert "did not end in time" in found.result.page_problem
    assert child.usage.call_count >= 2


@pytest.mark.parametrize(
    ("body", "problem"),
    [
        (START.encode() + b"...", ""),
        (b"\n" + START.encode() + b"...", ""),
        (b"", ""),
        (b"\xff", "not text"),
        (b"<!doctype html><script>", "policy"),
        (START.replace("'none'", "'self'").encode(), "policy"),
    ],
)
def test_a_page_must_begin_with_its_policy(body: bytes, problem: str) -> None:
    found = judged(f"page {body.hex()}").result
    assert problem in found.page_problem
    assert bool(found.page_problem) == bool(problem)
    assert found.page == (body.decode() if body and not problem else None)


def test_a_child_that_sends_unasked_is_not_idle() -> None:
    with ready_child() as child:
        assert child.is_idle
        found = attempt_in(child, "unasked", LIMITS, [BuiltInFile(b"")])
        assert isinstance(found, Judged)
        event = child.events.get(timeout=60)
        child.events.put(event)
        assert not child.is_idle
