"""The story of the sweep: the ticket of a settled job is raised again."""

from collections.abc import Callable
from datetime import datetime
from typing import Protocol

from gem_core.logs import Event, log
from gem_core.watch.registry import JobRegistry, StoredRecord
from gem_core.watch.schedule import Policy, next_ticket


class Sweeper(Protocol):
    """What it takes to raise a ticket again: a `Checker` has it, and so has a desk."""

    @property
    def registry(self) -> JobRegistry:
        """Where records and tickets are."""
        ...

    @property
    def policy(self) -> Policy:
        """The operator's limits."""
        ...

    @property
    def clock(self) -> Callable[[], datetime]:
        """Gives the time now."""
        ...


def repeat_ticket(sweeper: Sweeper, stored: StoredRecord) -> None:
    """Raise the ticket of a settled job again.

    The record first: a ticket raised once too often does no harm, while one that is never counted
    would be raised at every tick.
    """
    record = stored.record.ticketed()
    record = record.due(next_ticket(record, sweeper.clock(), sweeper.policy))
    sweeper.registry.replace(stored, record)
    sweeper.registry.raise_ticket(record)
    log(Event.TICKET_REPEATED, job_run_id=record.job_run_id, tickets=record.tickets)
