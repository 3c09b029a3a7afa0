"""What the checks of one run share, and what each of them leads to. Values."""

from collections.abc import Callable
from dataclasses import dataclass, field
from enum import StrEnum

from gem_core.flows.refusals import Refusals
from gem_core.watch.durations import Durations, JobDuration


class DueJobResult(StrEnum):
    """The result for one due job."""

    ASKED = "asked"
    SETTLED = "settled"
    TICKET_REPEATED = "ticket_repeated"
    PROBLEM = "problem"
    REMAINING = "remaining"
    """Nothing was done; the next tick does it."""
    IN_BATCH = "in_batch"
    """The job was sent to `check_batch`."""
    NOTHING = "nothing"
    """Nothing had to be done."""
    NOT_ANSWERED = "not_answered"
    """GEM was asked and gave no usable answer."""
    REFUSED = "refused"
    """GEM answered 401 or 403; the run decides whether that is about this job alone."""
    UNREADABLE = "unreadable"
    """The record is not valid, or a newer version of the app wrote it."""


@dataclass(slots=True)
class RunContext:
    """What all checks of one run share; several threads use it."""

    wait_to_ask: Callable[[], bool]
    """Waits until the next request may start; returns False when that is too late for this run."""
    known: Durations = field(default_factory=Durations)
    """How long earlier jobs ran."""
    observed: list[JobDuration] = field(default_factory=list)
    """How long the jobs ran that finished in this run."""
    refusals: Refusals = field(default_factory=Refusals)
