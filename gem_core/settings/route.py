"""A route: which events are sent to which queue. Pure.

Each listener has a queue of its own. The default route leads to GEM_RESULTS_QUEUE and takes every
`job.settled`. The others are in GEM_RESULTS_ROUTES; `route_reader` reads them.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from enum import StrEnum

from gem_core.errors import RequestError
from gem_core.outcome import Outcome

DEFAULT = "default"
"""The name of the route to GEM_RESULTS_QUEUE."""


class EventType(StrEnum):
    """The types of events that routes can take."""

    JOB_SETTLED = "job.settled"
    """The manifest of a job. Only these go to the default queue."""
    JOB_OUTDATED = "job.outdated"
    """A newer Overture release changed what the job's manifest is about; `advise --send` makes
    it."""


@dataclass(frozen=True, slots=True)
class Route:
    """Where events go, and which."""

    name: str
    """`DEFAULT`, or the name of the queue. Stored with each manifest."""
    queue: str
    types: tuple[EventType, ...] = (EventType.JOB_SETTLED,)
    outcomes: tuple[Outcome, ...] = ()
    """Empty: every outcome."""
    labels: Mapping[str, str] = field(default_factory=dict)
    """The job must have all of them. Empty: every job."""

    @property
    def takes_manifests(self) -> bool:
        """Whether manifests may go this way."""
        return EventType.JOB_SETTLED in self.types

    @property
    def takes_every_job(self) -> bool:
        """Whether every settled job goes this way."""
        return self.takes_manifests and not self.outcomes and not self.labels

    def takes(self, kind: EventType, outcome: str, labels: Mapping[str, str]) -> bool:
        """Whether an event goes this way."""
        return (
            kind in self.types
            and (not self.outcomes or outcome in self.outcomes)
            and self.labels.items() <= labels.items()
        )


def route_of(routes: Iterable[Route], name: str) -> Route:
    """The route of this name. Raises RequestError, with the names that there are."""
    found = {route.name: route for route in routes}
    if name not in found:
        raise RequestError(
            f"there is no route {name[:63]!r}: GEM_RESULTS_QUEUE and GEM_RESULTS_ROUTES have "
            f"{', '.join(found)}"
        )
    return found[name]


def names_of(
    routes: Iterable[Route], kind: EventType, outcome: str, labels: Mapping[str, str]
) -> tuple[str, ...]:
    """The names of the routes that take an event."""
    return tuple(route.name for route in routes if route.takes(kind, outcome, labels))
