"""Every document and message that the app stores or sends, written by the app's own writers at
fixed times.
"""

import io
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from gem_core.audit.child.result import AuditResult
from gem_core.deliver.delivered_list import month_of
from gem_core.deliver.manifest import outcome_of
from gem_core.errors import OutputUnreachable, StoreError
from gem_core.flows.audit_output import MAX_BEGUN
from gem_core.flows.check_jobs import check_jobs
from gem_core.flows.deliver_results import deliver_results
from gem_core.flows.manage_jobs import register_job
from gem_core.outcome import Outcome
from gem_core.settings.route import Route
from gem_core.storage import names
from gem_core.watch.batch import BatchPlan
from gem_core.watch.durations import NAME as DURATIONS
from gem_core.watch.heartbeat import ENDED, STARTED, Heartbeat, Tick
from gem_core.watch.marker import MARKER_PREFIX
from gem_core.watch.rate_limiter import PREFIX as LEASES
from gem_core.watch.record import JobRecord, Settlement
from gem_core.watch.registry import SUFFIX
from gem_core.watch.retention import LISTS, Retention
from gem_core.watch.retention import NAME as RETENTION
from gem_core.watch.store_claim import Ticker
from tests.builders import DEFAULT_ROUTE, JOB, OUTPUT, World, answer, finished, job, matched_file
from tests.fakes import START, Killed
from tests.flows.build import INPUT
from tests.flows.outdated import delivered, tell
from tests.frozen.golden import Golden
from tests.parquet_files import parquet_bytes

_RECORD, _MARKER = JOB + SUFFIX, MARKER_PREFIX + JOB
_REGISTRATION = {"labels": {"team": "maps"}, "expectedInputName": "roads.parquet"}
ENDS = {
    Outcome.FAILED: Settlement.FAILED,
    Outcome.CANCELLED: Settlement.CANCELLED,
    Outcome.LOST: Settlement.LOST,
    Outcome.EXPIRED: Settlement.EXPIRED,
}


def documents() -> dict[str, Golden]:
    """By the name of their golden file."""
    return dict([*_of_a_job(), *_of_ticks(), *_of_deliveries(), _of_advice()])


def _of_a_job() -> Iterator[tuple[str, Golden]]:
    """Record, marker and ticket, from the registration to a redelivery; all members get a value."""
    world = World()
    register_job(world.manager, JOB, _REGISTRATION)
    yield "record-registered", Golden.of(world.jobs, _RECORD)
    yield "marker", Golden.of(world.worklist, _MARKER)
    (line,) = world.registry.open_jobs()
    world.registry.claim(line, START + timedelta(minutes=3))
    yield "marker-claimed", Golden.of(world.worklist, _MARKER)
    watched = (
        world.record()
        .answered(job(progress=5), START + timedelta(minutes=1))
        .answered(job(progress=65), START + timedelta(minutes=2))
        .answered_not_found(START + timedelta(minutes=3))
        .not_answered("GEM answered 503", START + timedelta(minutes=4))
    )
    yield "record-watching", _record(world, watched)
    yield "marker-failing", Golden.of(world.worklist, _MARKER)
    settled = _settled(watched.answered(job("finished"), START), Settlement.FINISHED)
    yield "record-settled", _record(world, settled)
    world.registry.raise_ticket(settled)
    yield "ticket", Golden.of(world.tickets, _RECORD)
    delivered = settled.delivered(Outcome.VALID, "0123456789abcdef" * 2, START)
    yield "record-delivered", _record(world, delivered)
    yield "record-redelivered", _record(world, delivered.to_redeliver(START))


def _record(world: World, record: JobRecord) -> Golden:
    stored = world.registry.get(record.job_run_id)
    assert stored
    world.registry.replace(stored, record)
    return Golden.of(world.jobs, _RECORD)


def _settled(record: JobRecord, settlement: Settlement) -> JobRecord:
    return record.settled(settlement, START).ticket_raised().due(START + timedelta(minutes=10))


def _of_ticks() -> Iterator[tuple[str, Golden]]:
    """What ticks keep beside the worklist, and the message of a batch."""
    world = World()
    world.gem.answers = {"job-1": [answer("running")], "job-2": [finished()]}
    world.add("job-1", "job-2")
    first = Heartbeat(world.worklist, Ticker("courier", "application 1"))
    first.start(world.clock())
    first.end(Tick(world.clock(), ended_at=world.clock()))
    world.clock.move(minutes=1)
    heartbeat = Heartbeat(world.worklist, Ticker("courier", "application 2"))
    check_jobs(replace(world.checker, heartbeat=heartbeat))
    for document, name in (
        ("tick-started", STARTED),
        ("tick-ended", ENDED),
        ("durations", DURATIONS),
        ("lease", f"{LEASES}0"),
    ):
        yield document, Golden.of(world.worklist, name)
    yield from _of_passes()
    world = World(plan=BatchPlan(size=2, concurrency=1))
    world.add("job-1", "job-2")
    check_jobs(world.checker)
    ((message, _, _),) = world.batches.sent
    yield "batch", Golden(names.BATCHES, "", {}, message.encode())


def _of_passes() -> Iterator[tuple[str, Golden]]:
    """How far a pass over old jobs is."""
    world = World()
    for name in ("job-1.json", "job-2.json"):
        world.jobs.put(name, b"")
    stores = dict.fromkeys(names.CONTAINERS, world.tickets)
    stores |= {names.JOBS: world.jobs, names.WORKLIST: world.worklist}
    retention = Retention(
        stores.__getitem__, keep=timedelta(days=30), look_back=timedelta(days=1), page_size=1
    )
    world.retention = retention
    for _ in range(2):
        check_jobs(world.checker)
    yield "retention", Golden.of(world.worklist, RETENTION)
    for _ in range(len(LISTS)):
        check_jobs(world.checker)
    yield "retention-done", Golden.of(world.worklist, RETENTION)


def _of_deliveries() -> Iterator[tuple[str, Golden]]:
    """The event of each outcome, and a report."""
    close = finished()["statistics"] | {"roads_matched": "74.9%"}
    outputs = {
        Outcome.VALID: (finished(), matched_file()),
        Outcome.VALID_WITH_WARNINGS: (finished(statistics=close), matched_file()),
        Outcome.INVALID: (finished(), _without_gers_ids()),
    }
    for outcome, (last, output) in outputs.items():
        world = _settled_world(Settlement.FINISHED, last)
        world.files.write(OUTPUT, output)
        yield f"event-{outcome}", _event(world, outcome)
        if outcome is Outcome.INVALID:
            yield "delivered", Golden.of(world.manifests, f"delivered-{month_of(START)}.jsonl")
            (report,) = (name for name in world.reports.names() if name.endswith(SUFFIX))
            yield "report", Golden.of(world.reports, report)
    world = _settled_world(Settlement.FINISHED, finished())
    world.clock.move(hours=1)
    yield f"event-{Outcome.OUTPUT_MISSING}", _event(world, Outcome.OUTPUT_MISSING)
    yield from _of_attempts()
    for outcome, settlement in ENDS.items():
        yield f"event-{outcome}", _event(_settled_world(settlement, answer()), outcome)


def _of_attempts() -> Iterator[tuple[str, Golden]]:
    """What is kept of audits that never ended and of waiting; and the event that says so."""
    world = _settled_world(Settlement.FINISHED, finished())
    world.files.write(OUTPUT, matched_file())
    world.files.errors[INPUT] = OutputUnreachable("storage answered 503")
    deliver_results(world.deliverer, JOB)
    yield "record-postponed", Golden.of(world.jobs, _RECORD)
    del world.files.errors[INPUT]
    world.wait()
    for _ in range(MAX_BEGUN):
        with suppress(Killed):
            deliver_results(replace(world.deliverer, audit=_die), JOB)
    yield f"event-{Outcome.NOT_AUDITED}", _event(world, Outcome.NOT_AUDITED)
    yield from _of_routes()


def _of_routes() -> Iterator[tuple[str, Golden]]:
    """A manifest that one of its two routes does not have yet."""
    world = _settled_world(Settlement.FAILED, answer("failed"))
    world.routes = (DEFAULT_ROUTE, Route("gem-other", "gem-other"))
    world.queues["gem-other"].refuses = StoreError("away")
    deliver_results(world.deliverer, JOB)
    yield "record-pending", Golden.of(world.jobs, _RECORD)
    world.queues["gem-other"].refuses = None
    world.wait()
    yield "event-routed", _event(world, Outcome.FAILED)


def _of_advice() -> tuple[str, Golden]:
    """The event that a release outdates a job, once it was sent."""
    world = delivered(JOB)
    (told,) = tell(world)
    return "outdated", Golden.of(world.manifests, f"{JOB}/{told.id}.json")


def _die(*_: object, **__: object) -> AuditResult:
    """What the process does when an audit takes too much memory."""
    raise Killed


def _settled_world(settlement: Settlement, last: dict[str, Any]) -> World:
    """A job of which GEM answered `last` before it settled."""
    world = World()
    register_job(world.manager, JOB, _REGISTRATION)
    stored = world.registry.get(JOB)
    assert stored
    record = stored.record.answered(job(**last), START)
    world.registry.replace(stored, _settled(record, settlement))
    return world


def _event(world: World, outcome: Outcome) -> Golden:
    manifest = deliver_results(world.deliverer, JOB)
    assert manifest
    assert outcome_of(manifest) is outcome
    stored = Golden.of(world.manifests, f"{JOB}/{manifest.id}.json")
    assert world.queue.sent == [stored.body.decode()], "what is sent is what is stored"
    return stored


def _without_gers_ids() -> bytes:
    table = pq.read_table(io.BytesIO(matched_file()))
    place = table.schema.get_field_index("gers_id")
    return parquet_bytes(table.set_column(place, "gers_id", pa.nulls(len(table), pa.string())))
