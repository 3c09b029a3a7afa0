"""What may befall a call of an edge: by its kind, since not every call can fail in every way."""

from enum import StrEnum

from gem_core.errors import (
    AuditStopped,
    AuditUnfinished,
    GemAccessError,
    GemAnswerError,
    GemJobNotFound,
    GemUnavailable,
    MachineUnfit,
    OutputMissing,
    OutputUnreachable,
    RecordConflict,
    StoreError,
)
from tests.world.engine import ChildGrown


class Fault(StrEnum):
    """One misfortune of one call."""

    KILL_BEFORE = "process dies before the call"
    KILL_AFTER = "process dies after the call"
    SLOW = "call takes minutes"
    REFUSED = "storage refuses the call"
    ANSWER_LOST = "storage did it, the answer is lost"
    RETRIED = "storage did it, the retry conflicts"
    EVENT_LOST = "event is never delivered"
    EVENT_REPEATED = "event or message is delivered five times"
    EVENT_LATE = "event or message comes hours late"
    GEM_THROTTLED = "GEM answers 429 with Retry-After"
    GEM_DOWN = "GEM answers 503"
    GEM_SILENT = "GEM does not answer"
    GEM_REFUSES = "GEM refuses the token"
    GEM_BABBLES = "GEM answers no job"
    GEM_FORGETS = "GEM answers 404 once"
    OUTPUT_UNREACHABLE = "output storage refuses"
    OUTPUT_HIDDEN = "output is not listed yet"
    OUTPUT_OVERWRITTEN = "output is overwritten just now"
    OVERTURE_REFUSES = "Overture's storage refuses"
    OVERTURE_PUBLISHES = "Overture's files are replaced just now"
    CHILD_KILLED = "somebody kills the audit's child"
    CHILD_STOPPED = "the audit is stopped"
    CHILD_SLOW = "the audit's child waits too long for storage"
    CHILD_GROWN = "the audit's child takes too much memory"
    CHILD_NOT_STARTED = "the audit's child does not start"
    CLOCK_DAY_BACK = "our clock is set back by a day"
    CLOCK_HOURS_BACK = "our clock is set back by two hours"
    CLOCK_HOURS_AHEAD = "our clock is set ahead by two hours"
    CLOCK_DAY_AHEAD = "our clock is set ahead by a day"
    CLOCK_DAY_BEHIND_FOR_A_WHILE = "our clock is a day behind for a while"
    CLOCK_HOURS_BEHIND_FOR_A_WHILE = "our clock is two hours behind for a while"
    CLOCK_HOURS_AHEAD_FOR_A_WHILE = "our clock is two hours ahead for a while"
    CLOCK_DAY_AHEAD_FOR_A_WHILE = "our clock is a day ahead for a while"


_HOUR = 3600.0
STEPS = {
    Fault.CLOCK_DAY_BACK: -24 * _HOUR,
    Fault.CLOCK_HOURS_BACK: -2 * _HOUR,
    Fault.CLOCK_HOURS_AHEAD: 2 * _HOUR,
    Fault.CLOCK_DAY_AHEAD: 24 * _HOUR,
}
"""Steps of the app's clock, in seconds, just before a call. It stays so; the clocks of GEM and of
storage go on as before."""
SPELLS = {
    Fault.CLOCK_DAY_BEHIND_FOR_A_WHILE: -24 * _HOUR,
    Fault.CLOCK_HOURS_BEHIND_FOR_A_WHILE: -2 * _HOUR,
    Fault.CLOCK_HOURS_AHEAD_FOR_A_WHILE: 2 * _HOUR,
    Fault.CLOCK_DAY_AHEAD_FOR_A_WHILE: 24 * _HOUR,
}
"""The same, but the clock is right again after `SPELL`."""
SPELL = 90.0
"""Seconds: about a tick."""
CLOCK = STEPS | SPELLS

KILLS = (Fault.KILL_BEFORE, Fault.KILL_AFTER)
_ANY = (*KILLS, Fault.SLOW)
_STORE = (*_ANY, Fault.REFUSED)
_WRITE = (*_STORE, Fault.ANSWER_LOST)
_CONDITIONAL = (*_WRITE, Fault.RETRIED)
_FILE = (*_ANY, Fault.OUTPUT_UNREACHABLE, Fault.OUTPUT_OVERWRITTEN)

_GEM = (
    *_ANY,
    Fault.GEM_THROTTLED,
    Fault.GEM_DOWN,
    Fault.GEM_SILENT,
    Fault.GEM_REFUSES,
    Fault.GEM_BABBLES,
    Fault.GEM_FORGETS,
)
_EVENTS = (Fault.EVENT_LOST, Fault.EVENT_REPEATED, Fault.EVENT_LATE)


_OF_CALLS = {
    "files.open": (*_FILE, Fault.OUTPUT_HIDDEN),
    "files.address": _ANY,
    "tickets.put": (*_WRITE, *_EVENTS),
    "batches.send": (*_WRITE, Fault.EVENT_REPEATED, Fault.EVENT_LATE),
}
_CHILD = (
    *_ANY,
    Fault.CHILD_KILLED,
    Fault.CHILD_STOPPED,
    Fault.CHILD_SLOW,
    Fault.CHILD_GROWN,
    Fault.CHILD_NOT_STARTED,
    Fault.OUTPUT_OVERWRITTEN,
)
_OVERTURE = (*_ANY, Fault.OVERTURE_REFUSES, Fault.OVERTURE_PUBLISHES)
_OF_EDGES = {"gem": _GEM, "files": _FILE, "child": _CHILD, "overture": _OVERTURE}
_OF_METHODS = {
    **dict.fromkeys(("get", "every", "page", "count", "peek", "take", "put_back"), _STORE),
    **dict.fromkeys(("put", "send"), _WRITE),
    **dict.fromkeys(("create", "replace", "delete"), _CONDITIONAL),
}


def possible(call: str) -> tuple[Fault, ...]:
    """The faults of a call such as "jobs.replace". One that nobody thought of can die."""
    edge, _, method = call.partition(".")
    return _OF_CALLS.get(call) or _OF_EDGES.get(edge) or _OF_METHODS.get(method, _ANY)


BEFORE: dict[Fault, type[Exception]] = {
    Fault.REFUSED: StoreError,
    Fault.GEM_THROTTLED: GemUnavailable,
    Fault.GEM_DOWN: GemUnavailable,
    Fault.GEM_SILENT: GemUnavailable,
    Fault.GEM_REFUSES: GemAccessError,
    Fault.GEM_BABBLES: GemAnswerError,
    Fault.GEM_FORGETS: GemJobNotFound,
    Fault.OUTPUT_UNREACHABLE: OutputUnreachable,
    Fault.OUTPUT_HIDDEN: OutputMissing,
    Fault.OVERTURE_REFUSES: OutputUnreachable,
    Fault.CHILD_KILLED: AuditUnfinished,
    Fault.CHILD_STOPPED: AuditStopped,
    Fault.CHILD_SLOW: OutputUnreachable,
    Fault.CHILD_GROWN: ChildGrown,
    Fault.CHILD_NOT_STARTED: MachineUnfit,
}
"""What is raised instead of the call."""

AFTER: dict[Fault, type[Exception]] = {
    Fault.ANSWER_LOST: StoreError,
    Fault.RETRIED: RecordConflict,
}
"""What is raised though the call took effect."""

RETRY_AFTER_SECONDS = 900.0


def error(fault: Fault) -> Exception:
    """The error of a fault that is one."""
    if fault is Fault.GEM_THROTTLED:
        return GemUnavailable("simulated", retry_after_seconds=RETRY_AFTER_SECONDS)
    return (BEFORE | AFTER)[fault](f"simulated: {fault}")
