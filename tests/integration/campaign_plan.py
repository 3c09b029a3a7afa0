"""What the campaign on real parts does, decided by a seed: jobs, events and faults. Pure."""

from dataclasses import dataclass, replace
from enum import StrEnum
from random import Random

from devkit.simulator import CLEAN, LIVES, Life
from tests.integration.event_bus import REPEATS


class Fault(StrEnum):
    """What is done to the running app."""

    KILL = "runner killed (SIGKILL)"
    STORAGE = "Azurite restarted (SIGTERM), app running"
    STORAGE_AND_KILL = "runner killed, Azurite restarted"
    QUEUE = "queue deleted and made again, delivery postponed"


class Events(StrEnum):
    """How the events of a job's tickets arrive."""

    ONCE = "once"
    FIRST_DROPPED = "1st lost"
    FIVE_TIMES = "5 at once"


_OUTCOMES: tuple[tuple[Life, str], ...] = (
    *((CLEAN, "valid"),) * 5,
    (LIVES["bad_rows"], "invalid"),
    (LIVES["failed"], "failed"),
    (LIVES["cancelled"], "cancelled"),
)


@dataclass(frozen=True, slots=True)
class PlannedJob:
    """A job, how it ends, and how its events arrive."""

    job_run_id: str
    life: Life
    outcome: str
    events: Events

    def copies(self, number: int) -> int:
        """How often the event of its ticket `number` (from 0) is delivered."""
        if self.events is Events.FIVE_TIMES:
            return REPEATS
        return 0 if self.events is Events.FIRST_DROPPED and number == 0 else 1


@dataclass(frozen=True, slots=True)
class Plan:
    """All that the seed decides."""

    jobs: tuple[PlannedJob, ...]
    """The last one is registered when the queue is lost, the others at the start."""
    faults: tuple[tuple[float, Fault], ...]
    """What is done, each after so many seconds of an undisturbed app."""


def plan(seed: int, *, jobs: int, faults: int, seconds: float) -> Plan:
    """Jobs that end one by one within `seconds`, and faults of every kind among them."""
    dice = Random(seed)
    planned = []
    for number in range(jobs):
        life, outcome = _OUTCOMES[number % len(_OUTCOMES)]
        life = replace(life, queued_for=0, running_for=dice.uniform(0.2, seconds))
        events = tuple(Events)[number % len(Events)]
        planned.append(PlannedJob(f"job-{number + 1:03}", life, outcome, events))
    # Ends while there is no queue, so that its delivery is postponed.
    ends_at_once = replace(CLEAN, queued_for=0, running_for=0)
    planned[-1] = PlannedJob(planned[-1].job_run_id, ends_at_once, "valid", Events.ONCE)
    others = [Fault.QUEUE, *[Fault.STORAGE] * (faults // 8 + 1), Fault.STORAGE_AND_KILL]
    kinds = others + [Fault.KILL] * (faults - len(others))
    dice.shuffle(kinds)
    return Plan(tuple(planned), tuple((dice.uniform(0.1, 2.5), kind) for kind in kinds))
