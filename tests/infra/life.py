"""A simulated life of the app, whose log lines are asked by the queries of the alerts."""

import logging
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from datetime import datetime, timedelta
from typing import Any

from gem_core.errors import GemAccessError
from gem_core.flows.check_jobs import check_jobs
from gem_core.flows.deliver_results import deliver_results
from tests.builders import JOB, OUTPUT, World, answer, finished, matched_file
from tests.infra.asked import WINDOWS, Line, Run, ask

MINUTE = timedelta(minutes=1)


class Life:
    """A world whose log lines are kept with the world's time, and asked by KQL."""

    def __init__(self, handler: "Keeper") -> None:
        self.world = World()
        self.lines = handler.lines
        self.requests: list[Run] = []
        self.operations: list[Line] = []
        """What the workspace writes about itself."""
        handler.clock = self.world.clock

    def tick(self) -> None:
        """A tick, as the timer runs it each minute."""
        self.world.clock.move(MINUTE)
        with suppress(GemAccessError):
            check_jobs(self.world.checker)

    def ticks(self, minutes: float) -> None:
        for _ in range(int(minutes)):
            self.tick()

    def ask(self, name: str, *, query: str = "") -> list[Any]:
        """The rows that a query gives now, over the time window of its alert."""
        return ask(
            name,
            self.lines,
            self.requests,
            now=self.world.clock.now,
            operations=self.operations,
            query=query,
        )

    def fires(self) -> set[str]:
        """The alerts that would fire now."""
        return {name for name in WINDOWS if self.ask(name)}


class Keeper(logging.Handler):
    clock: Callable[[], datetime]

    def __init__(self) -> None:
        super().__init__()
        self.lines: list[Line] = []

    def emit(self, record: logging.LogRecord) -> None:
        self.lines.append((self.clock(), self.format(record)))


@contextmanager
def kept() -> Iterator[Keeper]:
    handler, logger = Keeper(), logging.getLogger("gem_core")
    before = logger.level
    logger.addHandler(handler)
    logger.setLevel(logging.INFO)
    try:
        yield handler
    finally:
        logger.removeHandler(handler)
        logger.setLevel(before)


def deliver(life: Life) -> None:
    for job_run_id in life.world.new_tickets():
        deliver_results(life.world.deliverer, job_run_id)


def finish(life: Life) -> None:
    """A job runs, finishes, and its ticket is raised."""
    life.world.files.write(OUTPUT, matched_file())
    life.world.gem.answers[JOB] = [answer("running"), finished()]
    life.world.add(JOB)
    while not life.world.tickets.names():
        life.tick()
