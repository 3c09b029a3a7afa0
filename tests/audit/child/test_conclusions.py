"""What is concluded from what was seen: each row of the table."""

import signal
from collections.abc import Sequence

import pytest

from gem_core.audit.child.conclusions import (
    Conclusion,
    End,
    Overdue,
    Seen,
    conclude,
    end_of,
    reason_of,
)
from gem_core.audit.child.limits import STEADY_BYTES_PER_SECOND
from gem_core.audit.child.messages import OUT_OF_MEMORY

AGAIN, WITHOUT = Conclusion.TRY_AGAIN, Conclusion.TRY_WITHOUT_INPUT
CRASHED, CPU, MEMORY = End.CRASHED, End.CPU, End.MEMORY


def by(number: int) -> Seen:
    return Seen(exit_status=-number)


@pytest.mark.parametrize(
    ("seen", "end"),
    [
        (by(signal.SIGABRT), End.CRASHED),
        (by(signal.SIGSEGV), End.CRASHED),
        (by(signal.SIGBUS), End.CRASHED),
        (by(signal.SIGILL), End.CRASHED),
        (by(signal.SIGFPE), End.CRASHED),
        (by(signal.SIGXCPU), End.CPU),
        (by(signal.SIGKILL), End.KILLED),
        (Seen(exit_status=-signal.SIGKILL, is_fresh=False), End.KILLED),
        (Seen(exit_status=-signal.SIGKILL, is_fresh=False, has_begun=False), End.NOT_BEGUN),
        (Seen(exit_status=-signal.SIGSEGV, is_fresh=False, has_begun=False), End.NOT_BEGUN),
        (Seen(broken="a verdict", is_fresh=False, has_begun=False), End.NOT_BEGUN),
        (Seen(broken="a verdict", has_begun=False), End.CRASHED),
        (Seen(was_stopped=True, is_fresh=False, has_begun=False), End.STOPPED),
        (by(signal.SIGTERM), End.STOPPED),
        (by(signal.SIGINT), End.STOPPED),
        (Seen(exit_status=0), End.CRASHED),
        (Seen(exit_status=1), End.CRASHED),
        (Seen(exit_status=OUT_OF_MEMORY), End.MEMORY),
        (Seen(exit_status=OUT_OF_MEMORY, is_fresh=False), End.MEMORY_NOT_FRESH),
        (Seen(exit_status=-signal.SIGKILL, over_memory=True), End.MEMORY),
        (Seen(exit_status=-signal.SIGKILL, over_memory=True, is_fresh=False), End.MEMORY_NOT_FRESH),
        (Seen(exit_status=-signal.SIGABRT, is_fresh=False), End.CRASHED),
        (Seen(broken="a range beyond the file"), End.CRASHED),
        (Seen(was_ready=False), End.NOT_STARTED),
        (Seen(was_ready=False, exit_status=-signal.SIGABRT), End.NOT_STARTED),
        (Seen(was_ready=False, exit_status=OUT_OF_MEMORY), End.NOT_STARTED),
        (Seen(exit_status=-signal.SIGKILL, was_stopped=True), End.STOPPED),
        (Seen(overdue=Overdue.QUIET), End.OVERDUE),
    ],
)
def test_how_it_ended(seen: Seen, end: End) -> None:
    assert end_of(seen) is end


@pytest.mark.parametrize(
    ("waited", "worked", "rate", "end"),
    [
        (100, 10, 0, End.STORAGE),
        (100, 10, STEADY_BYTES_PER_SECOND - 1, End.STORAGE),
        (100, 10, STEADY_BYTES_PER_SECOND, End.OVERDUE),
        (10, 100, 0, End.OVERDUE),
    ],
)
def test_whose_time_it_was(waited: float, worked: float, rate: int, end: End) -> None:
    """Too slow a storage says nothing of the file; a steady one, or a child that works, may."""
    seen = Seen(
        overdue=Overdue.WALL,
        waited_seconds=waited,
        worked_seconds=worked,
        served_bytes=int(rate * waited),
    )
    assert end_of(seen) is end


@pytest.mark.parametrize(
    ("ends", "reads_input", "self_test", "conclusion"),
    [
        # A file that may be the cause: fresh, then without the input, then the built-in file.
        ([CRASHED], True, None, AGAIN),
        ([MEMORY], True, None, AGAIN),
        ([CRASHED, CRASHED], True, None, WITHOUT),
        ([CRASHED, CRASHED], False, None, Conclusion.TRY_SELF_TEST),
        ([CRASHED, CRASHED, CRASHED], False, None, Conclusion.TRY_SELF_TEST),
        ([CRASHED, CRASHED], False, True, Conclusion.NOT_AUDITED),
        ([MEMORY, MEMORY, MEMORY], False, True, Conclusion.NOT_AUDITED),
        # CPU time that is used up once is enough: not the same again.
        ([CPU], True, None, WITHOUT),
        ([CPU], False, None, Conclusion.TRY_SELF_TEST),
        ([CPU], False, True, Conclusion.NOT_AUDITED),
        ([CPU, CPU], False, True, Conclusion.NOT_AUDITED),
        ([CRASHED, CPU], True, None, WITHOUT),
        ([MEMORY, CPU], True, None, WITHOUT),
        ([CPU, CRASHED], False, None, Conclusion.TRY_SELF_TEST),
        # The machine is at fault.
        ([CRASHED, CRASHED], False, False, Conclusion.MACHINE_UNFIT),
        ([CPU], False, False, Conclusion.MACHINE_UNFIT),
        ([End.NOT_STARTED], True, None, AGAIN),
        ([End.NOT_STARTED, End.NOT_STARTED], True, None, Conclusion.MACHINE_UNFIT),
        ([CRASHED, End.NOT_STARTED], True, None, AGAIN),
        ([End.NOT_STARTED, CRASHED, End.NOT_STARTED], True, None, Conclusion.MACHINE_UNFIT),
        ([End.NOT_STARTED, CRASHED], True, None, AGAIN),
        # Memory that was short in a child with a past counts for nothing.
        ([End.MEMORY_NOT_FRESH], True, None, AGAIN),
        ([End.MEMORY_NOT_FRESH, MEMORY], True, None, AGAIN),
        ([End.MEMORY_NOT_FRESH, MEMORY, MEMORY], True, None, WITHOUT),
        # So does an end of such a child before it had the file.
        ([End.NOT_BEGUN], True, None, AGAIN),
        ([End.NOT_BEGUN, End.KILLED], True, None, Conclusion.COUNT),
        ([End.NOT_BEGUN, CRASHED], True, None, AGAIN),
        # At once, whatever was before.
        ([End.STORAGE], True, None, Conclusion.STORAGE_SLOW),
        ([CRASHED, End.STORAGE], False, None, Conclusion.STORAGE_SLOW),
        ([End.OVERDUE], True, None, Conclusion.COUNT),
        ([End.KILLED], True, None, Conclusion.COUNT),
        ([CRASHED, CRASHED, End.KILLED], True, None, Conclusion.COUNT),
        ([End.STOPPED], True, None, Conclusion.NOTHING),
        ([CPU, End.STOPPED], True, None, Conclusion.NOTHING),
    ],
)
def test_what_is_concluded(
    ends: Sequence[End],
    reads_input: bool,  # noqa: FBT001 - a column of the table
    self_test: bool | None,  # noqa: FBT001 - as above
    conclusion: Conclusion,
) -> None:
    assert conclude(ends, reads_input=reads_input, self_test=self_test) is conclusion


@pytest.mark.parametrize(
    ("seen", "reason"),
    [
        (by(signal.SIGSEGV), "the reader crashed (SIGSEGV)"),
        (Seen(exit_status=3), "the reader crashed (exit code 3)"),
        (by(63), "the reader crashed (signal 63)"),
        (Seen(broken="Odd\n\x1b[31m: 1"), "the reader crashed (Odd??[31m: 1)"),
        (by(signal.SIGXCPU), "it takes more CPU time than an audit has (30 s)"),
        (Seen(exit_status=OUT_OF_MEMORY), "it takes more memory than an audit has (400 MiB)"),
        (
            Seen(overdue=Overdue.WALL, worked_seconds=8, waited_seconds=2, served_bytes=5),
            "it did not end in time (8 s of work, 2 s of waiting for 5 bytes from storage)",
        ),
        (Seen(was_ready=False), "the audit process did not start"),
    ],
)
def test_the_reason_is_one_line_with_its_figure(seen: Seen, reason: str) -> None:
    assert reason_of(seen, cpu_seconds=30, data_bytes=400 << 20) == reason
