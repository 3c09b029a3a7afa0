"""The host of the functions: starts stories, tries messages again, fires the timer, and dies.

Its rules are those of the real host with the Storage extension, as they were seen there:

* A message that fails is tried five times in all, then it goes to the poison queue. A ticket is
  tried again at once, a batch after 30 s (host.json).
* A message that a process held when it died is hidden for ten minutes. If it was received five
  times before, it goes to the poison queue without a run.
* The host reads the ticket before each run. If storage refuses that, the host ends, and all that
  runs in it; the try does not count.
"""

from collections import Counter
from collections.abc import Callable
from functools import partial
from random import Random
from typing import TYPE_CHECKING

from devkit.runner.blob_message import BlobMessage
from gem_core.errors import StoreError
from gem_core.flows.check_batch import check_batch
from gem_core.flows.check_jobs import check_jobs
from gem_core.flows.deliver_results import deliver_results
from gem_core.storage.names import TICKETS
from gem_core.watch.registry import SUFFIX
from tests.fakes import Killed
from tests.world.loop import Ending, Loop, Process
from tests.world.plan import Setting

if TYPE_CHECKING:
    from tests.world.edges import Edges

FUNCTION_TIMEOUT = 1800.0
"""Seconds (host.json)."""
CUT_OFF_AFTER = 1.0
"""Seconds. Flex Consumption ended runs that began while it removed an instance after one to three
seconds (Azure/azure-functions-host, issue 12007)."""
TRIES = 5
"""Of one message (poisonBlobThreshold and maxDequeueCount in host.json)."""
TICKET_AGAIN = (0.015, 0.6)
"""Seconds to the next try of a ticket after an error: five took 0.06 to 2.5 s."""
BATCH_AGAIN = 30.0
"""Seconds to the next try of a batch after an error (visibilityTimeout in host.json)."""
LEASE_TIME = 600.0
"""Seconds until a message is visible again whose process died."""
EVENT_DELAY = 1.0


class Host:
    """Some instances, so that stories meet, and one dies without the other."""

    def __init__(self, loop: Loop, edges: "Edges", random: Random, setting: Setting) -> None:
        self._loop = loop
        self._edges = edges
        self._random = random
        self._setting = setting
        self._deaths = 0
        self._instances = [Process() for _ in range(setting.instances)]
        self.tickets = 0
        """Events and tries that are under way or waiting."""
        self.endings: Counter[str] = Counter()
        self.poisoned: Counter[str] = Counter()

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
        self._loop.start(name, self._instances[number], do, lasts=self._lasts(), on_end=end)

    def _lasts(self) -> float:
        """After how many seconds the platform ends a run, with all that runs beside it."""
        share, horizon = self._setting.cut_off, self._setting.horizon
        is_cut_off = share and self._loop.seconds < horizon and self._random.random() < share
        return CUT_OFF_AFTER if is_cut_off else FUNCTION_TIMEOUT

    def tick(self) -> None:
        """The timer fires."""
        checker, budget, began = self._edges.checker, self._setting.tick_budget, self._loop.seconds

        def tick() -> None:
            self._edges.ledger.tick_ended(check_jobs(checker, budget=budget), began)

        self.invoke("check_jobs", tick, lambda _: None)

    def ticket_event(self, job_run_id: str, *, delay: float = EVENT_DELAY) -> None:
        """A ticket was written."""
        self.tickets += 1
        self._loop.later(delay, partial(self._deliver, job_run_id, 1, self._deaths))

    def _deliver(self, job_run_id: str, received: int, deaths: int) -> None:
        """The message about a ticket is received for this time, counted from 1."""
        if self._setting.events_die and deaths != self._deaths:
            self.tickets -= 1
            return
        name = job_run_id + SUFFIX
        message = BlobMessage("Host.Functions.deliver_results", TICKETS, name, "").to_json()

        def end(ending: Ending) -> None:
            if ending is None or self._is_poisoned("ticket", message, received, ending):
                self.tickets -= 1
                return
            died = isinstance(ending, Killed)
            wait = LEASE_TIME if died else self._random.uniform(*TICKET_AGAIN)
            self._loop.later(wait, partial(self._deliver, job_run_id, received + 1, deaths))

        def run() -> None:
            if self._read(name):
                deliver_results(self._edges.deliverer, job_run_id)

        if received > TRIES:
            end(RuntimeError("received too often"))
        else:
            self.invoke(f"deliver_results {job_run_id}", run, end)

    def _read(self, name: str) -> bool:
        """Read the ticket; False when it is gone. An error of storage ends the host."""
        try:
            return self._edges.trigger.get(name) is not None
        except StoreError:
            self._edges.say("the host ends: it cannot read a ticket")
            self._loop.die()
            raise

    def _is_poisoned(self, kind: str, message: str, received: int, ending: Ending) -> bool:
        """Whether the message has failed too often; then it is on the poison queue."""
        if isinstance(ending, Killed) or received < TRIES:
            return False
        self.poisoned[kind if received == TRIES else f"{kind}, without a run"] += 1
        self._edges.poison.put(message)
        self._edges.say(f"a {kind} goes to the poison queue")
        return True

    def batch_message(self, message: str, *, delay: float, dropped_at: float) -> None:
        """A batch is on the queue: taken after a while, unless the queue has dropped it."""
        self._loop.later(delay, partial(self._take_batch, message, 1, dropped_at))

    def _take_batch(self, message: str, received: int, dropped_at: float) -> None:
        if self._loop.seconds >= dropped_at:
            self._edges.batches.there -= 1
            return

        def end(ending: Ending) -> None:
            if ending is None or self._is_poisoned("batch", message, received, ending):
                self._edges.batches.there -= 1
                return
            wait = LEASE_TIME if isinstance(ending, Killed) else BATCH_AGAIN
            self._loop.later(wait, partial(self._take_batch, message, received + 1, dropped_at))

        if received > TRIES:
            end(RuntimeError("received too often"))
        else:
            self.invoke("check_batch", lambda: check_batch(self._edges.checker, message), end)

    def end_process(self) -> None:
        """One instance goes away, with all that runs on it."""
        self._loop.kill(self._random.choice(self._instances))
