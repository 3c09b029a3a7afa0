"""The edges of the app, each call of them watched: it takes time, it may fail, it may be the last.

Calls are found by interception, so a call that is new to the app is a kill point by itself.
"""

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from functools import partial
from itertools import count
from random import Random
from typing import Any, cast

from gem_core.audit.overture.listing import find_release
from gem_core.audit.overture.release import NoRelease, Release
from gem_core.errors import OutputUnreachable
from gem_core.storage.names import (
    CONTAINERS,
    FAILURES,
    JOBS,
    OUTBOX,
    REPORTS,
    TICKETS,
    WORKLIST,
)
from gem_core.watch.batch import Batch
from gem_core.watch.heartbeat import STARTED
from gem_core.watch.registry import SUFFIX
from tests.fakes import FakeFiles, FakePoison, MemoryDocuments
from tests.world.app import app_over
from tests.world.audit import Auditing
from tests.world.clock import AppClock
from tests.world.faults import AFTER, BEFORE, CLOCK, SPELL, SPELLS, Fault, error, possible
from tests.world.gem import NOT_FOUND, LivingGem
from tests.world.ledger import Ledger
from tests.world.loop import Loop
from tests.world.overture import AWAY, RELEASE, Overture
from tests.world.plan import Plan
from tests.world.routes import queues_of
from tests.world.watched import Watched

MAX_SHOWN = 80
"""Characters of an argument in the trace."""
REFUSED_SHARE = 0.2
"""Of the random runs: those where inputs are refused."""
SLOW_SECONDS = 400.0
"""Below the function timeout, beyond every due time of the policy."""


OUR_STORAGE = {
    *("jobs", "worklist", "tickets", "reports", "manifests"),
    *("heartbeat", "leases", "durations", "discovery"),
}
"""Edges whose answers say the time."""


class WaitingBatches:
    """The queue of batches, as far as the sender sees it."""

    def __init__(self) -> None:
        self.sent = 0
        self.there = 0

    def waiting(self) -> int:
        """How many are on the queue."""
        return self.there

    def send(self, batch: Batch, *, hidden_for: timedelta, expires_after: timedelta) -> None:  # noqa: ARG002 - the world delivers it
        """Put one on the queue."""
        self.sent += 1
        self.there += 1


@dataclass(frozen=True, slots=True)
class CallStates:
    """The versions of the world around one call."""

    call: str
    before: int
    after: int


class Edges:
    """All edges over one state of the world."""

    def __init__(self, plan: Plan, loop: Loop, random: Random, auditing: Auditing) -> None:
        self.loop = loop
        self.random = random
        self._latency = plan.setting.latency
        self.setting = plan.setting
        self._faults = {fault.call: fault for fault in plan.faults}
        self._outages = plan.outages
        self.faults_until = float("inf")
        self._calls = count()
        self._file_versions = count(1)
        self.on_ticket: Callable[[str, Fault | None], object] = lambda *_: None
        self.on_batch: Callable[[Batch, timedelta, timedelta, Fault | None], object] = lambda *_: (
            None
        )
        self.tell: Callable[[str], object] | None = None
        """Takes the trace."""
        self.injected: Counter[Fault] = Counter()
        self.called: Counter[str] = Counter()
        """By story and call."""
        self.killed: Counter[str] = Counter()
        """By story, call and side."""
        self.stores = [MemoryDocuments(loop.clock, name) for name in CONTAINERS]
        by_name = {store._name: store for store in self.stores}
        self.jobs, self.worklist, self.tickets = by_name[JOBS], by_name[WORKLIST], by_name[TICKETS]
        self.reports, self.failures, self.manifests = map(
            by_name.__getitem__, (REPORTS, FAILURES, OUTBOX)
        )
        self.routes = plan.routes
        self.queues = queues_of(plan.routes)
        self.poison = FakePoison(page=32, clock=loop.clock)
        self.batches = WaitingBatches()
        self.files = FakeFiles()
        self._refuse_inputs(plan)
        lives = {life.job_run_id: life for life in plan.lives}
        self.gem = LivingGem(lives, lambda: loop.seconds)
        self.ledger = Ledger(
            lambda: loop.seconds,
            self.teller,
            self.worklist,
            self.manifests,
            self.failures,
            self.gem.said,
            plan.setting.policy.job_deadline,
            auditing,
            plan.routes,
        )
        self.states: dict[int, CallStates] = {}
        """Of each call, by its number."""
        self.count_states = False
        self.auditing = auditing
        self.keep = self.ledger.keep = plan.keep
        self.overture = Overture()
        self.looks_up = plan.overture
        self._send_overture_away(plan)
        self.discovers = self.ledger.discovers = plan.discovers
        if plan.discovers:
            self.ledger.to_discover = tuple(
                life.job_run_id for life in plan.lives if life.words[-1][1] != NOT_FOUND
            )
        probe = self.watched(self.worklist, "worklist")
        self.clock = AppClock(loop, partial(probe.etag, STARTED) if plan.asks_storage else None)
        """The clock of the app."""
        self.ledger.is_told_the_time = plan.asks_storage
        self.trigger = self.watched(self.tickets, "trigger")
        """As the host reads a ticket before it starts a delivery."""
        app = app_over(self)
        self.checker, self.deliverer, self.manager = app.checker, app.deliverer, app.manager

    def _refuse_inputs(self, plan: Plan) -> None:
        """In some runs nobody may read the inputs, for a while; then they are gone."""
        random = Random(f"inputs of {plan.name}")
        if random.random() < REFUSED_SHARE and self.setting.horizon:
            for life in plan.lives:
                self.files.errors[life.input_name] = OutputUnreachable(
                    f"simulated: {Fault.OUTPUT_UNREACHABLE}"
                )
            self.loop.later(random.uniform(0, self.setting.horizon), self.files.errors.clear)

    def _send_overture_away(self, plan: Plan) -> None:
        random = Random(f"Overture is away in {plan.name}")
        if self.setting.horizon and random.random() < AWAY:
            self.overture.is_away = True
            self.loop.later(random.uniform(0, self.setting.horizon), self.overture.come_back)

    def find_release(self, _: str | None) -> Release | NoRelease:
        return find_release(self.watched(self.overture, "overture"), RELEASE)

    @property
    def is_swept(self) -> bool:
        """Whether nothing is left of any job, if old ones are deleted."""
        about_jobs = self.jobs, self.tickets, self.reports, self.manifests
        return not self.keep or not any(store.names() for store in about_jobs)

    def version(self) -> int:
        """Another number after each change of what outlives a process."""
        changes = sum(documents.changes for documents in self.stores)
        sent = sum(len(queue.sent) for queue in self.queues.values())
        return changes + sent + self.batches.sent + self.loop.turns

    def teller(self) -> str:
        """The story that is at work."""
        return self.loop.story.name if self.loop.story else "the world"

    def say(self, text: str) -> None:
        """A line of the trace."""
        if self.tell:
            self.tell(f"{self.loop.seconds:9.2f} s  {self.teller():28} {text}")

    def _say_of(self, call: str, args: tuple[object, ...], what: str | None) -> None:
        if self.tell:
            about = f"({args[0]})" if args and len(str(args[0])) < MAX_SHOWN else ""
            self.say(f"{call}{about}{f': {what}' if what else ''}")

    def write_output(self, name: str, outcome: str) -> None:
        """GEM writes an output, or writes it anew."""
        body = self.auditing.body(name, next(self._file_versions), outcome)
        etag = self.files.write(name, body)
        self.ledger.output_written(name, etag, body)
        self.say(f"{name} is written: {outcome}, {etag}")

    def watched[T](self, edge: T, name: str) -> T:
        """The edge, with each call of it watched."""
        return cast("T", Watched(edge, name, self))

    def call(self, name: str, do: Callable[..., Any], args: Any, options: Any) -> Any:  # noqa: ANN401 - any call
        """One call of an edge, with whatever befalls it."""
        number = next(self._calls)
        fault = self._fault_of(number, name, options)
        self.called[f"{self.teller().partition(' ')[0]}: {name}"] += 1
        self.loop.wait(SLOW_SECONDS if fault is Fault.SLOW else self._pause())
        before = self.version() if self.count_states else 0
        self._befall(fault, name)
        if fault in BEFORE:
            self._say_of(name, args, fault)
            raise error(fault)
        self._refuse_if_away(name, args)
        if name.partition(".")[0] in OUR_STORAGE:
            self.clock.answered()
        try:
            result = do(*args, **options)
        except Exception as problem:
            self._say_of(name, args, type(problem).__name__)
            raise
        else:
            self._say_of(name, args, fault)
            self._took_effect(name, args, options, fault)
        finally:
            if self.count_states:
                self.states[number] = CallStates(name, before, self.version())
            if fault is Fault.KILL_AFTER:
                self._die(name, "after")
        if fault in AFTER:
            raise error(fault)
        return result

    def _refuse_if_away(self, name: str, args: Any) -> None:  # noqa: ANN401 - any call
        for outage in self._outages:
            if outage.hits(name, self.loop.seconds):
                self._say_of(name, args, "outage")
                raise outage.error(name)

    def _befall(self, fault: Fault | None, name: str) -> None:
        """What happens just before a call, and does not keep the call from being done."""
        if fault in CLOCK:
            self.clock.set(CLOCK[fault], lasts=SPELL if fault in SPELLS else None)
        if fault is Fault.OUTPUT_OVERWRITTEN:
            self._overwrite()
        if fault is Fault.OVERTURE_PUBLISHES:
            self.overture.publish()
        if fault is Fault.KILL_BEFORE:
            self._die(name, "before")

    def _pause(self) -> float:
        return self.random.random() ** 4 * 2 if self._latency is None else self._latency

    def _took_effect(self, name: str, args: Any, options: Any, fault: Fault | None) -> None:  # noqa: ANN401 - any call
        self.ledger.took_effect(name, args)
        if name == "tickets.put":
            self.on_ticket(args[0].removesuffix(SUFFIX), fault)
        if name == "batches.send":
            self.on_batch(args[0], options["hidden_for"], options["expires_after"], fault)

    def _fault_of(self, number: int, name: str, options: Any) -> Fault | None:  # noqa: ANN401 - any call
        planned = self._faults.get(number)
        if planned is None or self.loop.seconds > self.faults_until:
            return None
        kinds = possible(name)
        pick = planned.pick
        fault = pick if isinstance(pick, Fault) else kinds[int(pick * len(kinds))]
        if fault is Fault.RETRIED and name.endswith(".delete") and "etag" not in options:
            return None  # deleting what is gone is fine
        self.injected[fault] += 1
        self.ledger.is_slow |= fault is Fault.SLOW
        self.ledger.is_clock_wrong |= fault in CLOCK and not self.ledger.is_told_the_time
        if fault is Fault.GEM_FORGETS:
            for said in self.gem.said.values():
                said.add("404")
        return fault

    def _die(self, name: str, side: str) -> None:
        self.killed[f"{self.teller().partition(' ')[0]}: {name}, {side}"] += 1
        self.say(f"{name}: the process dies {side} it")
        self.loop.die()

    def _overwrite(self) -> None:
        for name in self.files.held:
            self.write_output(name, "invalid")
