"""What is concluded when an audit in a child ends without a verdict. Pure.

The app concludes something about a file only with proof that the file is the cause. The proof has
two parts. The file ended a fresh child twice, or used up its CPU time once. And a fresh child
judges a good small file as valid.
"""

import signal
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import Enum, StrEnum

from gem_core.audit.child.limits import STEADY_BYTES_PER_SECOND
from gem_core.audit.child.messages import OUT_OF_MEMORY


class Overdue(StrEnum):
    """Which deadline of the parent's passed."""

    QUIET = "quiet"
    """The child waited for nothing and used no CPU."""
    WALL = "wall"


@dataclass(frozen=True, slots=True)
class Seen:
    """What the parent saw of an audit that gave no verdict."""

    was_ready: bool = True
    """Whether the child ever said that it is ready."""
    is_fresh: bool = True
    """Whether this was the first audit of the child."""
    has_begun: bool = True
    """Whether the child had the question."""
    exit_status: int | None = None
    """As `subprocess` has it; None when the child still ran."""
    broken: str = ""
    """How the child broke the protocol, or the error that it met; or empty."""
    over_memory: bool = False
    """Whether the parent ended it for its memory, where the system does not; or a library did that
    got none."""
    overdue: Overdue | None = None
    was_stopped: bool = False
    """Whether this process itself was asked to end the child."""
    waited_seconds: float = 0.0
    """For storage."""
    worked_seconds: float = 0.0
    """All other time, by the clock."""
    served_bytes: int = 0


class End(Enum):
    """How such an audit ended."""

    CRASHED = "the reader crashed"
    CPU = "it takes more CPU time than an audit has"
    MEMORY = "it takes more memory than an audit has"
    MEMORY_NOT_FRESH = "memory was short in a process that had other audits before"
    NOT_STARTED = "the audit process did not start"
    STORAGE = "storage was too slow"
    OVERDUE = "it did not end in time"
    KILLED = "somebody killed the audit process"
    NOT_BEGUN = "an audit process that had other audits before did not begin this one"
    """The system, for example, takes memory from idle processes first."""
    STOPPED = "the audit was stopped"


_BY_SIGNAL: Mapping[int, End] = {
    signal.SIGXCPU: End.CPU,
    signal.SIGKILL: End.KILLED,
    signal.SIGTERM: End.STOPPED,
    signal.SIGINT: End.STOPPED,
    signal.SIGHUP: End.STOPPED,
    signal.SIGQUIT: End.STOPPED,
}
"""Any other signal is a crash of the reader."""

OF_THE_FILE = frozenset({End.CRASHED, End.CPU, End.MEMORY})
"""The file may be the cause."""


class Conclusion(Enum):
    """What to do next."""

    TRY_AGAIN = "try again in a fresh child"
    TRY_WITHOUT_INPUT = "try again in a fresh child, without the input"
    TRY_SELF_TEST = "try the built-in file in a fresh child"
    NOT_AUDITED = "report that the file cannot be judged"
    MACHINE_UNFIT = "postpone, and say that the machine is at fault"
    STORAGE_SLOW = "postpone: the file cannot be reached"
    COUNT = "postpone, and count it: the tenth is reported as not audited"
    NOTHING = "postpone"


def end_of(seen: Seen) -> End:
    """How the audit ended."""
    if seen.was_stopped:
        return End.STOPPED
    if not seen.was_ready:
        return End.NOT_STARTED
    if not (seen.has_begun or seen.is_fresh):
        return End.NOT_BEGUN
    if seen.overdue:
        return _overdue(seen)
    if seen.over_memory or seen.exit_status == OUT_OF_MEMORY:
        return End.MEMORY if seen.is_fresh else End.MEMORY_NOT_FRESH
    number = 0 if seen.broken else -(seen.exit_status or 0)
    return _BY_SIGNAL.get(number, End.CRASHED)


def _overdue(seen: Seen) -> End:
    steady = seen.served_bytes >= seen.waited_seconds * STEADY_BYTES_PER_SECOND
    if seen.overdue is Overdue.WALL and seen.waited_seconds > seen.worked_seconds and not steady:
        return End.STORAGE
    return End.OVERDUE


_AT_ONCE = {
    End.STORAGE: Conclusion.STORAGE_SLOW,
    End.OVERDUE: Conclusion.COUNT,
    End.KILLED: Conclusion.COUNT,
    End.STOPPED: Conclusion.NOTHING,
    End.MEMORY_NOT_FRESH: Conclusion.TRY_AGAIN,
    End.NOT_BEGUN: Conclusion.TRY_AGAIN,
}


def conclude(ends: Sequence[End], *, reads_input: bool, self_test: bool | None) -> Conclusion:
    """What to do next.

    CPU time does not depend on chance. So an attempt that used it up is not repeated in the same
    way: that would take five minutes more. Whether the machine is sick is for the built-in file to
    tell, which has little CPU time.

    Args:
        ends: of the attempts to audit this version of the output, oldest first; at least one.
        reads_input: whether the last attempt read an input.
        self_test: whether a fresh child found the built-in file valid; None when that is not known.

    """
    last = ends[-1]
    if last in _AT_ONCE:
        return _AT_ONCE[last]
    if last is End.NOT_STARTED:
        # Once may be chance: somebody killed it, or memory was short for a moment.
        is_first = ends.count(End.NOT_STARTED) == 1
        return Conclusion.TRY_AGAIN if is_first else Conclusion.MACHINE_UNFIT
    if last is not End.CPU and sum(end in OF_THE_FILE for end in ends) == 1:
        return Conclusion.TRY_AGAIN
    if reads_input:
        return Conclusion.TRY_WITHOUT_INPUT
    if self_test is None:
        return Conclusion.TRY_SELF_TEST
    return Conclusion.NOT_AUDITED if self_test else Conclusion.MACHINE_UNFIT


def reason_of(seen: Seen, *, cpu_seconds: int, data_bytes: int) -> str:
    """Why there is no verdict, with its figures, for a person. One line."""
    end = end_of(seen)
    match end:
        case End.CPU:
            figure = f"{cpu_seconds} s"
        case End.MEMORY | End.MEMORY_NOT_FRESH:
            figure = f"{data_bytes >> 20} MiB"
        case End.OVERDUE | End.STORAGE:
            figure = (
                f"{seen.worked_seconds:.0f} s of work, {seen.waited_seconds:.0f} s of waiting for "
                f"{seen.served_bytes} bytes from storage"
            )
        case _:
            figure = _how_it_ended(seen)
    return f"{end.value} ({figure})" if figure else end.value


def _how_it_ended(seen: Seen) -> str:
    if seen.broken:
        # The child's own words: of a process that read a foreign file.
        return "".join(sign if sign.isprintable() else "?" for sign in seen.broken[:200])
    if seen.exit_status is None:
        return ""
    if seen.exit_status >= 0:
        return f"exit code {seen.exit_status}"
    try:
        return signal.Signals(-seen.exit_status).name
    except ValueError:  # a real-time signal has no name
        return f"signal {-seen.exit_status}"
