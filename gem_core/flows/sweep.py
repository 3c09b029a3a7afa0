"""Raises the ticket of a settled job again. The sweep and the endpoints for people use it."""

from collections.abc import Callable
from datetime import datetime
from typing import Protocol

from gem_core.logs import Event, log
from gem_core.watch.registry import JobRegistry, StoredRecord
from gem_core.watch.schedule import Policy, next_ticket


class Sweeper(Protocol):
    """What `repeat_ticket` needs; `Checker` and `JobManager` both have it."""

    @property
    def registry(self) -> JobRegistry:
        """Stores records and tickets."""
        ...

    @property
    def policy(self) -> Policy:
        """The operator's limits."""
        ...

    @property
    def clock(self) -> Callable[[], datetime]:
        """Returns the present time."""
        ...


def repeat_ticket(sweeper: Sweeper, stored: StoredRecord) -> None:
    """Raise the ticket of a settled job again.

    The record is written first. A process that dies between the two writes only delays the ticket.
    In the other order, a ticket that was not counted would be raised at every tick.
    """
    record = stored.record.ticket_raised()
    record = record.due(next_ticket(record, sweeper.clock(), sweeper.policy))
    sweeper.registry.replace(stored, record)
    sweeper.registry.raise_ticket(record)
    log(Event.TICKET_REPEATED, job_run_id=record.job_run_id, tickets=record.tickets)
