"""A time in which a part of storage, or the identity endpoint, refuses every call."""

from dataclasses import dataclass
from enum import Enum
from random import Random

from gem_core.errors import GemWithoutToken, OutputWithoutToken, StoreError, StoreWithoutToken

_STATE = frozenset(
    {
        "batches", "durations", "gem-all", "gem-bad", "heartbeat", "jobs", "leases", "manifests",
        "poison", "queue", "reports", "tickets", "trigger", "worklist", "gem-jobs", "gem-outbox",
        "gem-reports", "gem-tickets", "gem-worklist",
    }
)  # fmt: skip


class Part(Enum):
    """What is away, by the names of the edges in `edges.Edges`."""

    STATE = _STATE
    RECORDS = frozenset({"jobs", "gem-jobs"})
    """So the host still starts deliveries, which cannot even be postponed."""
    RESULTS_QUEUE = frozenset({"queue"})
    ROUTE = frozenset({"gem-all"})
    """The queue of a further route."""
    REPORTS_AND_EVENTS = frozenset({"manifests", "reports", "gem-outbox", "gem-reports"})
    IDENTITY = _STATE | {"files", "gem"}
    """All tokens have expired, and the identity endpoint gives no new one."""
    TOKEN_FOR_GEM = frozenset({"gem"})
    """Only the one for GEM has expired, so ticks go on."""


LASTS = (20.0, 120.0, 1800.0)
"""Seconds."""


@dataclass(frozen=True, slots=True)
class Outage:
    """One outage."""

    at: float
    """Seconds after the start of the world."""
    lasts: float
    part: Part

    @property
    def ends(self) -> float:
        """When all works again."""
        return self.at + self.lasts

    def hits(self, call: str, seconds: float) -> bool:
        """Whether a call such as "jobs.replace" is refused at this time."""
        return self.at <= seconds < self.ends and call.partition(".")[0] in self.part.value

    @property
    def hits_the_host(self) -> bool:
        """Whether the host cannot read tickets, which ends it."""
        return "trigger" in self.part.value

    def error(self, call: str) -> Exception:
        """What a refused call raises."""
        kinds: dict[str, type[Exception]] = {"files": OutputWithoutToken, "gem": GemWithoutToken}
        of_stores = StoreWithoutToken if self.part is Part.IDENTITY else StoreError
        return kinds.get(call.partition(".")[0], of_stores)("simulated: an outage")

    def __str__(self) -> str:
        """For a table."""
        return f"outage: {self.part.name.lower().replace('_', ' ')}, {self.lasts:.0f} s"


def random_outage(settled_by: float, random: Random) -> Outage:
    """An outage that begins near the end of a job."""
    at = max(0.0, settled_by + random.uniform(-100, 300))
    return Outage(at, random.choice(LASTS), random.choice(list(Part)))
