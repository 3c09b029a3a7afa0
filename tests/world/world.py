"""One run: a plan, lived through until nothing is left to do."""

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import partial
from random import Random

from gem_core.flows.manage_jobs import (
    check_job,
    drop_route,
    forget_job,
    redeliver_job,
    register_job,
    send_again,
)
from gem_core.watch.batch import CLAIM_TIME, Batch
from gem_core.watch.marker import MARKER_PREFIX
from gem_core.watch.registry import ORPHAN_AGE
from gem_core.watch.schedule import EXPIRED_AFTER_ANSWERS, MAX_SWEEP_WAIT
from tests.fakes import START
from tests.world.app import DISCOVER_EVERY
from tests.world.audit import TINY, Auditing
from tests.world.edges import CallStates, Edges
from tests.world.faults import CLOCK, RETRY_AFTER_SECONDS, Fault
from tests.world.host import FUNCTION_TIMEOUT, LEASE_TIME, TRIES, Host
from tests.world.loop import Ending, Loop
from tests.world.plan import Act, Deed, Plan, Setting
from tests.world.routes import ALL
from tests.world.witness import Asked

LATE_EVENT = 7200.0
"""Seconds."""
ASK_AGAIN = 30.0
"""Seconds after which a caller repeats a registration that was not answered."""


def longest(setting: Setting) -> float:
    """Seconds after the last fault within which everybody must have a manifest.

    Each wait that the policy allows, once, or thrice where waits may follow each other.
    """
    policy = setting.policy
    waits = policy.job_deadline + policy.check_max * EXPIRED_AFTER_ANSWERS + setting.output_grace
    waits += 3 * DISCOVER_EVERY + 3 * MAX_SWEEP_WAIT + 2 * ORPHAN_AGE + CLAIM_TIME
    late = RETRY_AFTER_SECONDS + FUNCTION_TIMEOUT + LEASE_TIME * TRIES + LATE_EVENT
    return waits.total_seconds() + late


@dataclass(frozen=True, slots=True)
class Result:
    """What came of a run."""

    plan: Plan
    breaches: tuple[str, ...]
    owed: int
    lost: int
    sent: int
    ids: tuple[int, ...]
    """How many ids for each (registration, output ETag, ruleset)."""
    injected: Counter[Fault]
    deeds: Counter[str]
    endings: Counter[str]
    called: Counter[str]
    killed: Counter[str]
    states: dict[int, CallStates]
    """Of each call, by its number; empty where nobody asked."""
    seconds: float
    poisoned: Counter[str]
    """Messages that the host moved to a poison queue, by their kind."""


class World:
    """The app and all that surrounds it."""

    def __init__(
        self,
        plan: Plan,
        *,
        auditing: Auditing = TINY,
        tell: Callable[[str], object] | None = None,
        count_states: bool = False,
    ) -> None:
        """A world at its first moment.

        Args:
            plan: what will happen.
            auditing: the files, and the audit of them.
            tell: takes the trace, line by line.
            count_states: whether the result has `states`.

        """
        self._plan = plan
        self._random = Random(plan.name)
        self._setting = plan.setting
        self._loop = Loop()
        self._edges = Edges(plan, self._loop, self._random, auditing)
        self._edges.tell = tell
        self._edges.count_states = count_states
        self._edges.on_ticket = self._ticket_written
        self._edges.on_batch = self._batch_sent
        self._host = Host(self._loop, self._edges, self._random, plan.setting)
        self._deeds = Counter(map(str, plan.outages))
        self._calm_at = max(
            plan.setting.horizon,
            *(act.at for act in plan.acts),
            *(life.settled_by for life in plan.lives),
            *(outage.ends for outage in plan.outages),
            *(write.at for life in plan.lives for write in life.writes),
        )
        self._registering = sum(act.deed is Deed.REGISTER for act in plan.acts)

    def run(self) -> Result:
        """Live through the plan."""
        for life in self._plan.lives:
            for write in life.writes:
                output = life.output_name, write.outcome
                self._loop.later(write.at, partial(self._edges.write_output, *output))
        for act in self._plan.acts:
            self._loop.later(act.at, partial(self._act, act))
        self._loop.later(self._pause(), self._tick)
        self._edges.faults_until = self._calm_at if self._setting.horizon else float("inf")
        ends_at = self._calm_at + longest(self._setting) + self._plan.later_deadline
        ends_at += 10 * self._plan.keep  # the passes have some thirty steps, one a tick
        self._loop.run(until=lambda: self._loop.seconds > ends_at or self._is_quiet())
        if not self._is_quiet():
            self._edges.ledger.breach(f"the world is not quiet after {ends_at:.0f} s")
        self._check_ends()
        self._edges.ledger.check_end()
        self._loop.stop()
        return self._result()

    def _check_ends(self) -> None:
        """A function whose process nobody ends runs never until its timeout."""
        plan, cut_off = self._plan, self._setting.cut_off
        may_end = (
            any(act.deed is Deed.END_PROCESS for act in plan.acts)
            or any(fault.pick not in CLOCK for fault in plan.faults)
            or any(outage.hits_the_host for outage in plan.outages)
        )
        if self._host.endings["Killed"] and not (may_end or cut_off):
            self._edges.ledger.breach("a function ran until its timeout")

    def _result(self) -> Result:
        edges, ledger = self._edges, self._edges.ledger
        return Result(
            plan=self._plan,
            breaches=tuple(ledger.breaches),
            owed=len(ledger.owed()),
            lost=len(ledger.lost()),
            sent=sum(len(sent) for sent in ledger.sent.values()),
            ids=tuple(len(ids) for ids in ledger.ids.values()),
            injected=edges.injected,
            deeds=self._deeds,
            endings=self._host.endings,
            called=edges.called,
            killed=edges.killed,
            states=edges.states,
            seconds=self._loop.seconds,
            poisoned=self._host.poisoned,
        )

    def _is_quiet(self) -> bool:
        """Whether nothing is left to do: no story, no ticket, nobody waiting, no open job."""
        return (
            self._loop.seconds > self._calm_at
            and not self._loop.running
            and not self._host.tickets
            and not self._edges.batches.there
            and not self._registering
            and self._next_due() is None
            and self._is_discovered()
            and self._edges.is_swept
        )

    def _is_discovered(self) -> bool:
        """Whether GEM's list was asked for since the world is calm, and what it has was added."""
        ledger = self._edges.ledger
        return not self._plan.discovers or (
            self._loop.seconds > self._calm_at + 2 * DISCOVER_EVERY.total_seconds()
            and all(
                job_run_id in ledger.records
                or ledger.deleted[job_run_id]
                or ledger.was_forgotten(job_run_id)
                for job_run_id in ledger.to_discover
            )
        )

    def _next_due(self) -> float | None:
        """Seconds at which the earliest job of the worklist is due."""
        markers = self._edges.worklist.every(prefix=MARKER_PREFIX)
        due = [marker.metadata["due"] for marker in markers]
        if not due:
            return None
        seconds = (datetime.fromisoformat(min(due)) - START).total_seconds()
        return seconds - self._edges.clock.off

    def _pause(self) -> float:
        return self._setting.tick_every or 60 * self._random.choice((1, 1, 2, 5, 15))

    def _tick(self) -> None:
        """The timer. When the world is calm, ticks that would find nothing due are left out."""
        self._host.tick()
        pause = self._pause()
        due = self._next_due()
        if self._loop.seconds > self._calm_at and due is not None:
            waits = due - self._loop.seconds
            pause = waits + 1 if waits > 0 else 600
            if self._plan.sets_clock:  # what is due is no longer known from outside
                pause = min(pause, 600)
        self._loop.later(pause, self._tick)

    def _ticket_written(self, job_run_id: str, fault: Fault | None) -> None:
        if fault is Fault.EVENT_LOST:
            return
        if fault is Fault.EVENT_LATE:
            self._host.ticket_event(job_run_id, delay=LATE_EVENT)
            return
        for _ in range(5 if fault is Fault.EVENT_REPEATED else 1):
            self._host.ticket_event(job_run_id)

    def _batch_sent(
        self, batch: Batch, hidden: timedelta, kept: timedelta, fault: Fault | None
    ) -> None:
        delay = LATE_EVENT if fault is Fault.EVENT_LATE else hidden.total_seconds() + 1
        times = 5 if fault is Fault.EVENT_REPEATED else 1
        self._edges.batches.there += times - 1
        for _ in range(times):
            self._host.batch_message(
                batch.to_json(),
                delay=delay,
                dropped_at=self._loop.seconds + kept.total_seconds(),
            )

    def _act(self, act: Act) -> None:
        self._deeds[act.deed] += 1
        self._edges.say(f"{act.deed} {act.job_run_id}")
        if act.deed is Deed.TICK:
            self._host.tick()
        elif act.deed is Deed.END_PROCESS:
            self._host.end_process()
        elif act.deed is Deed.OVERWRITE:
            (life,) = (life for life in self._plan.lives if life.job_run_id == act.job_run_id)
            if life.output_name in self._edges.files.held:
                self._edges.write_output(life.output_name, "valid")
        else:
            self._request(act)

    def _request(self, act: Act) -> None:
        """Somebody calls one of the HTTP routes; each registration brings labels of its own."""
        edges, job_run_id = self._edges, act.job_run_id
        labels = {"asked": str(len(edges.ledger.asked))}
        stories: dict[Deed, Callable[[], object]] = {
            Deed.REGISTER: lambda: register_job(edges.manager, job_run_id, {"labels": labels}),
            Deed.CHECK: lambda: check_job(edges.manager, edges.checker, job_run_id),
            Deed.REDELIVER: lambda: redeliver_job(edges.manager, job_run_id),
            Deed.FORGET: lambda: forget_job(edges.manager, job_run_id),
            Deed.RESEND: lambda: send_again(edges.manager, job_run_id, ALL.name),
            Deed.DROP_ROUTE: lambda: drop_route(edges.manager, job_run_id, ALL.name),
        }
        asked = Asked(act.deed, job_run_id, self._loop.seconds)
        edges.ledger.asked.append(asked)

        def end(ending: Ending) -> None:
            asked.ended = self._loop.seconds
            if ending is None:
                edges.ledger.answered(asked)
            if act.deed is not Deed.REGISTER:
                return
            if ending is None:
                self._registering -= 1
            else:
                self._loop.later(ASK_AGAIN, lambda: self._request(act))

        self._host.invoke(f"{act.deed} {job_run_id}", stories[act.deed], end)
