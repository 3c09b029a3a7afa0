"""The edges of the app, each call of them watched: it takes time, it may fail, it may be the last.

Calls are found by interception, so a call that is new to the app is a kill point by itself.
"""

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import partial
from itertools import count
from random import Random
from typing import Any, cast

from gem_core.audit.child.in_process import not_opened_in_process
from gem_core.audit.overture.listing import find_release
from gem_core.audit.overture.release import NoRelease, Release
from gem_core.deliver.outbox import Outbox
from gem_core.errors import OutputUnreachable
from gem_core.flows.checker import Checker
from gem_core.flows.deliverer import Deliverer, PageMode
from gem_core.flows.manage_jobs import JobManager
from gem_core.settings.ncrontab import Schedule
from gem_core.settings.route import DEFAULT
from gem_core.watch.batch import Batch
from gem_core.watch.discovery import Discovery
from gem_core.watch.durations import DurationStore
from gem_core.watch.heartbeat import Heartbeat
from gem_core.watch.rate_limiter import RateLimiter, SleepClock
from gem_core.watch.registry import SUFFIX, JobRegistry
from gem_core.watch.retention import Retention
from tests.fakes import FakeFiles, FakePoison, MemoryDocuments
from tests.world.audit import Auditing
from tests.world.engine import Child, Engine
from tests.world.faults import AFTER, BEFORE, CLOCK, SPELL, SPELLS, Fault, error, possible
from tests.world.gem import NOT_FOUND, LivingGem
from tests.world.ledger import Ledger
from tests.world.loop import Lock, Loop
from tests.world.overture import AWAY, RELEASE, Overture
from tests.world.plan import Plan
from tests.world.routes import queues_of
from tests.world.watched import Watched

DISCOVER_EVERY = timedelta(minutes=10)
"""The time between two questions for GEM's list."""
LOOK_BACK = timedelta(days=9)
"""How far discovery looks back. Our clock may be days ahead."""
MAX_SHOWN = 80
"""Characters of an argument in the trace."""
REFUSED_SHARE = 0.2
"""Of the random runs: those where inputs are refused."""
SLOW_SECONDS = 400.0
"""Below the function timeout, beyond every due time of the policy."""


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
        self._loop = loop
        self._random = random
        self._latency = plan.setting.latency
        self._setting = plan.setting
        self._faults = {fault.call: fault for fault in plan.faults}
        self._outages = plan.outages
        self.faults_until = float("inf")
        self.clock_off = 0.0
        """Seconds by which the app's clock is ahead of everybody else's."""
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
        self.jobs, self.worklist, self.tickets, self.reports, self.manifests = self._stores = [
            MemoryDocuments(loop.clock, name)
            for name in ("gem-jobs", "gem-worklist", "gem-tickets", "gem-reports", "gem-outbox")
        ]
        self._routes = plan.routes
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
            self.gem.said,
            plan.setting.policy.job_deadline,
            auditing,
            plan.routes,
        )
        self.states: dict[int, CallStates] = {}
        """Of each call, by its number."""
        self.count_states = False
        self._auditing = auditing
        self._keep = self.ledger.keep = plan.keep
        self.overture = Overture()
        self._looks_up = plan.overture
        self._send_overture_away(plan)
        self._discovers = self.ledger.discovers = plan.discovers
        if plan.discovers:
            self.ledger.to_discover = tuple(
                life.job_run_id for life in plan.lives if life.words[-1][1] != NOT_FOUND
            )
        self._build()

    def _refuse_inputs(self, plan: Plan) -> None:
        """In some runs nobody may read the inputs, for a while; then they are gone."""
        random = Random(f"inputs of {plan.name}")
        if random.random() < REFUSED_SHARE and self._setting.horizon:
            for life in plan.lives:
                self.files.errors[life.input_name] = OutputUnreachable(
                    f"simulated: {Fault.OUTPUT_UNREACHABLE}"
                )
            self._loop.later(random.uniform(0, self._setting.horizon), self.files.errors.clear)

    def _send_overture_away(self, plan: Plan) -> None:
        random = Random(f"Overture is away in {plan.name}")
        if self._setting.horizon and random.random() < AWAY:
            self.overture.is_away = True
            self._loop.later(random.uniform(0, self._setting.horizon), self.overture.come_back)

    def clock(self) -> datetime:
        """The clock of the app, in all its instances."""
        return self._loop.clock() + timedelta(seconds=self.clock_off)

    def _set_clock(self, step: float, *, lasts: float | None) -> None:
        """Set the app's clock, for so many seconds or for good."""
        self.clock_off += step
        if lasts:
            self._loop.later(lasts, lambda: self._set_clock(-step, lasts=None))

    def _build(self) -> None:
        clock = self.clock
        registry = JobRegistry(
            jobs=self._watched(self.jobs, "jobs"),
            worklist=self._watched(self.worklist, "worklist"),
            tickets=self._watched(self.tickets, "tickets"),
        )
        outbox = Outbox(
            events=self._watched(self.manifests, "manifests"),
            reports=self._watched(self.reports, "reports"),
        )
        heartbeat = Heartbeat(self._watched(self.worklist, "heartbeat"))
        discovery = Discovery(
            self._watched(self.worklist, "discovery"),
            prefixes=("roads", "job-"),
            max_age=LOOK_BACK,
            every=DISCOVER_EVERY,
        )
        retention = Retention(
            {store._name: self._watched(store, store._name) for store in self._stores}.__getitem__,
            keep=timedelta(seconds=self._keep),
            look_back=LOOK_BACK,
            every=timedelta(minutes=2),
            page_size=2,
        )
        self.checker = Checker(
            registry=registry,
            heartbeat=heartbeat,
            gem=self._watched(self.gem, "gem"),
            policy=self._setting.policy,
            limiter=RateLimiter(
                self._watched(self.worklist, "leases"),
                count=self._setting.plan.concurrency if self._setting.plan else 1,
                per_second=10,
                clock=SleepClock(clock, self._loop.wait, lambda: Lock(self._loop)),
            ),
            clock=clock,
            jitter=self._random.random,
            each=partial(self._loop.each, at_once=3),
            places=3,
            durations=DurationStore(self._watched(self.worklist, "durations")),
            batches=self._watched(self.batches, "batches") if self._setting.plan else None,
            plan=self._setting.plan,
            poison=(self._watched(self.poison, "poison"),),
            discovery=discovery if self._discovers else None,
            retention=retention if self._keep else None,
        )
        self.trigger = self._watched(self.tickets, "trigger")
        """As the host reads a ticket before it starts a delivery."""
        self.deliverer = Deliverer(
            registry=registry,
            outbox=outbox,
            routes=self._routes,
            queues={
                name: self._watched(queue, "queue" if name == DEFAULT else name)
                for name, queue in self.queues.items()
            },
            files=self._watched(self.files, "files"),
            job_url=lambda job_run_id: f"https://gem.example/jobs/{job_run_id}",
            output_grace=self._setting.output_grace,
            input_audit=True,
            policy=self._setting.policy,
            clock=clock,
            sleep=self._loop.wait,
            page=PageMode.PLAIN,
            audit=Engine(self._watched(Child(), "child"), self._auditing.audit),
            report_not_opened=not_opened_in_process,
            find_release=self._find_release if self._looks_up else None,
        )
        self.manager = JobManager(
            registry=registry,
            outbox=outbox,
            heartbeat=heartbeat,
            policy=self._setting.policy,
            schedule=Schedule.parse("0 * * * * *"),
            clock=clock,
            routes=self._routes,
        )

    def _find_release(self, _: str | None) -> Release | NoRelease:
        return find_release(self._watched(self.overture, "overture"), RELEASE)

    @property
    def is_swept(self) -> bool:
        """Whether nothing is left of any job, if old ones are deleted."""
        about_jobs = self.jobs, self.tickets, self.reports, self.manifests
        return not self._keep or not any(store.names() for store in about_jobs)

    def version(self) -> int:
        """Another number after each change of what outlives a process."""
        changes = sum(documents.changes for documents in self._stores)
        sent = sum(len(queue.sent) for queue in self.queues.values())
        return changes + sent + self.batches.sent + self._loop.turns

    def teller(self) -> str:
        """The story that is at work."""
        return self._loop.story.name if self._loop.story else "the world"

    def say(self, text: str) -> None:
        """A line of the trace."""
        if self.tell:
            self.tell(f"{self._loop.seconds:9.2f} s  {self.teller():28} {text}")

    def _say_of(self, call: str, args: tuple[object, ...], what: str | None) -> None:
        if self.tell:
            about = f"({args[0]})" if args and len(str(args[0])) < MAX_SHOWN else ""
            self.say(f"{call}{about}{f': {what}' if what else ''}")

    def write_output(self, name: str, outcome: str) -> None:
        """GEM writes an output, or writes it anew."""
        body = self._auditing.body(name, next(self._file_versions), outcome)
        etag = self.files.write(name, body)
        self.ledger.output_written(name, etag, body)
        self.say(f"{name} is written: {outcome}, {etag}")

    def _watched[T](self, edge: T, name: str) -> T:
        return cast("T", Watched(edge, name, self))

    def call(self, name: str, do: Callable[..., Any], args: Any, options: Any) -> Any:  # noqa: ANN401 - any call
        """One call of an edge, with whatever befalls it."""
        number = next(self._calls)
        fault = self._fault_of(number, name, options)
        self.called[f"{self.teller().partition(' ')[0]}: {name}"] += 1
        self._loop.wait(SLOW_SECONDS if fault is Fault.SLOW else self._pause())
        before = self.version() if self.count_states else 0
        self._befall(fault, name)
        if fault in BEFORE:
            self._say_of(name, args, fault)
            raise error(fault)
        self._refuse_if_away(name, args)
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
            if outage.hits(name, self._loop.seconds):
                self._say_of(name, args, "outage")
                raise outage.error(name)

    def _befall(self, fault: Fault | None, name: str) -> None:
        """What happens just before a call, and does not keep the call from being done."""
        if fault in CLOCK:
            self._set_clock(CLOCK[fault], lasts=SPELL if fault in SPELLS else None)
        if fault is Fault.OUTPUT_OVERWRITTEN:
            self._overwrite()
        if fault is Fault.OVERTURE_PUBLISHES:
            self.overture.publish()
        if fault is Fault.KILL_BEFORE:
            self._die(name, "before")

    def _pause(self) -> float:
        return self._random.random() ** 4 * 2 if self._latency is None else self._latency

    def _took_effect(self, name: str, args: Any, options: Any, fault: Fault | None) -> None:  # noqa: ANN401 - any call
        self.ledger.took_effect(name, args)
        if name == "tickets.put":
            self.on_ticket(args[0].removesuffix(SUFFIX), fault)
        if name == "batches.send":
            self.on_batch(args[0], options["hidden_for"], options["expires_after"], fault)

    def _fault_of(self, number: int, name: str, options: Any) -> Fault | None:  # noqa: ANN401 - any call
        planned = self._faults.get(number)
        if planned is None or self._loop.seconds > self.faults_until:
            return None
        kinds = possible(name)
        pick = planned.pick
        fault = pick if isinstance(pick, Fault) else kinds[int(pick * len(kinds))]
        if fault is Fault.RETRIED and name.endswith(".delete") and "etag" not in options:
            return None  # deleting what is gone is fine
        self.injected[fault] += 1
        self.ledger.is_slow |= fault is Fault.SLOW or fault in CLOCK
        if fault is Fault.GEM_FORGETS:
            for said in self.gem.said.values():
                said.add("404")
        return fault

    def _die(self, name: str, side: str) -> None:
        self.killed[f"{self.teller().partition(' ')[0]}: {name}, {side}"] += 1
        self.say(f"{name}: the process dies {side} it")
        self._loop.die()

    def _overwrite(self) -> None:
        for name in self.files.held:
            self.write_output(name, "invalid")
