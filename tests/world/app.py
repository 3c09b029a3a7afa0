"""The app over the edges of a world, built as `gem_core.wiring` builds it over real ones."""

from dataclasses import dataclass
from datetime import timedelta
from functools import partial
from typing import TYPE_CHECKING

from gem_core.deliver.outbox import Outbox
from gem_core.flows.checker import Checker
from gem_core.flows.deliverer import Deliverer, PageMode
from gem_core.flows.manage_jobs import JobManager
from gem_core.settings.ncrontab import Schedule
from gem_core.settings.route import DEFAULT
from gem_core.watch.discovery import Discovery
from gem_core.watch.durations import DurationStore
from gem_core.watch.heartbeat import Heartbeat
from gem_core.watch.rate_limiter import RateLimiter, SleepClock
from gem_core.watch.registry import JobRegistry
from gem_core.watch.retention import Retention
from tests.audit.child.not_opened import not_opened_in_process
from tests.world.engine import Child, Engine
from tests.world.loop import Lock

if TYPE_CHECKING:
    from tests.world.edges import Edges

DISCOVER_EVERY = timedelta(minutes=10)
"""The time between two questions for GEM's list."""
LOOK_BACK = timedelta(days=9)
"""How far discovery looks back. Our clock may be days ahead."""


@dataclass(frozen=True, slots=True)
class App:
    """What the functions and the routes work with."""

    checker: Checker
    deliverer: Deliverer
    manager: JobManager


def app_over(edges: "Edges") -> App:
    """The app, each call of whose edges is watched."""
    clock = edges.clock
    registry = JobRegistry(
        jobs=edges.watched(edges.jobs, "jobs"),
        worklist=edges.watched(edges.worklist, "worklist"),
        tickets=edges.watched(edges.tickets, "tickets"),
    )
    outbox = Outbox(
        events=edges.watched(edges.manifests, "manifests"),
        reports=edges.watched(edges.reports, "reports"),
        failures=edges.watched(edges.failures, "failures"),
    )
    heartbeat = Heartbeat(edges.watched(edges.worklist, "heartbeat"))
    discovery = Discovery(
        edges.watched(edges.worklist, "discovery"),
        prefixes=("roads", "job-"),
        max_age=LOOK_BACK,
        every=DISCOVER_EVERY,
    )
    retention = Retention(
        {store._name: edges.watched(store, store._name) for store in edges.stores}.__getitem__,
        keep=timedelta(seconds=edges.keep),
        look_back=LOOK_BACK,
        every=timedelta(minutes=2),
        page_size=2,
    )
    checker = Checker(
        registry=registry,
        heartbeat=heartbeat,
        gem=edges.watched(edges.gem, "gem"),
        policy=edges.setting.policy,
        limiter=RateLimiter(
            edges.watched(edges.worklist, "leases"),
            count=edges.setting.plan.concurrency if edges.setting.plan else 1,
            per_second=10,
            clock=SleepClock(clock, edges.loop.wait, lambda: Lock(edges.loop)),
        ),
        clock=clock,
        jitter=edges.random.random,
        each=partial(edges.loop.each, at_once=3),
        places=3,
        durations=DurationStore(edges.watched(edges.worklist, "durations")),
        batches=edges.watched(edges.batches, "batches") if edges.setting.plan else None,
        plan=edges.setting.plan,
        poison=(edges.watched(edges.poison, "poison"),),
        discovery=discovery if edges.discovers else None,
        retention=retention if edges.keep else None,
    )
    deliverer = Deliverer(
        registry=registry,
        heartbeat=heartbeat,
        outbox=outbox,
        routes=edges.routes,
        queues={
            name: edges.watched(queue, "queue" if name == DEFAULT else name)
            for name, queue in edges.queues.items()
        },
        files=edges.watched(edges.files, "files"),
        job_url=lambda job_run_id: f"https://gem.example/jobs/{job_run_id}",
        output_grace=edges.setting.output_grace,
        input_audit=True,
        policy=edges.setting.policy,
        clock=clock,
        sleep=edges.loop.wait,
        page=PageMode.PLAIN,
        audit=Engine(edges.watched(Child(), "child"), edges.auditing.audit),
        report_not_opened=not_opened_in_process,
        find_release=edges.find_release if edges.looks_up else None,
    )
    manager = JobManager(
        registry=registry,
        outbox=outbox,
        heartbeat=heartbeat,
        policy=edges.setting.policy,
        schedule=Schedule.parse("0 * * * * *"),
        clock=clock,
        routes=edges.routes,
    )
    return App(checker, deliverer, manager)
