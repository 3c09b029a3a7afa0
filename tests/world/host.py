"""The host of the functions: starts stories, tries tickets again, fires the timer, and dies."""

from collections import Counter
from collections.abc import Callable
from functools import partial
from random import Random
from typing import TYPE_CHECKING

from gem_core.flows.check_batch import check_batch
from gem_core.flows.check_jobs import check_jobs
from gem_core.flows.deliver_results import deliver_results
from tests.fakes import Killed
from tests.world.loop import Ending, Loop, Process
from tests.world.plan import Setting

if TYPE_CHECKING:
    from tests.world.edges import Edges

FUNCTION_TIMEOUT = 1800.0
"""Seconds (host.json)."""
TRIES = 5
"""Of one ticket (poisonBlobThreshold in host.json)."""
TRY_AGAIN = 30.0
"""Seconds to the next try after an error."""
LEASE_TIME = 600.0
"""Seconds until the host sees that a process died with a ticket."""
EVENT_DELAY = 1.0


class Host:
    """Some instances, so that stories meet, and one dies without the other."""

    def __init__(self, loop: Loop, edges: "Edges", random: Random, setting: Setting) -> None:
        self._loop = loop
        self._edges = edges
        self._random = random
        self._events_die = setting.events_die
        self._deaths = 0
        self._instances = [Process() for _ in range(setting.instances)]
        self.tickets = 0
        """Events and tries that are under way or waiting."""
        self.endings: Counter[str] = Counter()

    def invoke(
        self, name: str, do: Callable[[], object], on_end: Callable[[Ending], object]
    ) -> None:
        """Run a function on one of the instances."""
        number = self._random.randrange(len(self._instances))
        if self._instances[number].dead:
            self._instances[number] = Process()

        def end(ending: Ending) -> None:
            how = "well" if ending is None else type(ending).__name__
            self.endings[how] += 1
            self._deaths += isinstance(ending, Killed)
            self._edges.say(f"{name} ends: {how} {ending or ''}")
            on_end(ending)

        self._edges.say(f"{name} starts on instance {number}")
        self._loop.start(name, self._instances[number], do, lasts=FUNCTION_TIMEOUT, on_end=end)

    def tick(self) -> None:
        """The timer fires."""
        self.invoke("check_jobs", lambda: check_jobs(self._edges.checker), lambda _: None)

    def ticket_event(self, job_run_id: str, *, delay: float = EVENT_DELAY) -> None:
        """A ticket was written."""
        self.tickets += 1
        self._loop.later(delay, partial(self._deliver, job_run_id, 1, self._deaths))

    def _deliver(self, job_run_id: str, tries: int, deaths: int) -> None:
        if self._events_die and deaths != self._deaths:
            self.tickets -= 1
            return

        def end(ending: Ending) -> None:
            if ending is None or tries == TRIES:
                self.tickets -= 1
                return
            wait = LEASE_TIME if isinstance(ending, Killed) else TRY_AGAIN
            self._loop.later(wait, partial(self._deliver, job_run_id, tries + 1, deaths))

        self.invoke(
            f"deliver_results {job_run_id}",
            lambda: deliver_results(self._edges.deliverer, job_run_id),
            end,
        )

    def batch_message(self, message: str, *, delay: float, dropped_at: float) -> None:
        """A batch is on the queue: taken after a while, unless the queue has dropped it."""
        self._loop.later(delay, partial(self._take_batch, message, 1, dropped_at))

    def _take_batch(self, message: str, tries: int, dropped_at: float) -> None:
        if self._loop.seconds >= dropped_at:
            self._edges.batches.there -= 1
            return

        def end(ending: Ending) -> None:
            if ending is None or tries == TRIES:
                self._edges.batches.there -= 1
                return
            wait = LEASE_TIME if isinstance(ending, Killed) else TRY_AGAIN
            self._loop.later(wait, partial(self._take_batch, message, tries + 1, dropped_at))

        self.invoke("check_batch", lambda: check_batch(self._edges.checker, message), end)

    def end_process(self) -> None:
        """One instance goes away, with all that runs on it."""
        self._loop.kill(self._random.choice(self._instances))
