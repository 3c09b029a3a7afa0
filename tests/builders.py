"""Jobs, records, files and whole worlds of fakes, correct unless a test changes them."""

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from functools import cache
from pathlib import Path
from typing import Any

import jsonschema
import pyarrow as pa
import pytest

from gem_core.audit.child.in_process import audit_in_process
from gem_core.audit.overture.release import NoRelease, Release
from gem_core.deliver.outbox import Outbox
from gem_core.flows.ask_one import ask
from gem_core.flows.checker import Checker, in_threads
from gem_core.flows.deliverer import Audit, Deliverer, PageMode
from gem_core.flows.delivery import is_early
from gem_core.flows.manage_jobs import JobManager
from gem_core.gem.contracts import known
from gem_core.gem.job import GemJob
from gem_core.settings.ncrontab import Schedule
from gem_core.settings.route import DEFAULT, Route
from gem_core.storage.documents import Documents
from gem_core.watch.batch import BatchPlan
from gem_core.watch.discovery import Discovery
from gem_core.watch.durations import DurationStore
from gem_core.watch.heartbeat import Heartbeat
from gem_core.watch.marker import MARKER_PREFIX
from gem_core.watch.poison import Poison
from gem_core.watch.rate_limiter import RateLimiter, SleepClock
from gem_core.watch.record import JobRecord, Stage
from gem_core.watch.record_json import record_from_bytes
from gem_core.watch.registry import SUFFIX, JobRegistry
from gem_core.watch.retention import Retention
from gem_core.watch.schedule import Policy
from tests.audit.child.not_opened import not_opened_in_process
from tests.fakes import (
    START,
    FakeBatches,
    FakeClock,
    FakeFiles,
    FakeGem,
    FakeQueue,
    MemoryDocuments,
    Trap,
)
from tests.parquet_files import parquet_bytes

_TESTS = Path(__file__).resolve().parent
JOB = "job-abc123-def456"
"""The id of the page's own examples."""
OUTPUT = "roads_matched.parquet"
DEFAULT_ROUTE = Route(DEFAULT, "gem-results")
ROWS = 40
MATCHED = 30

SCHEMA: dict[str, Any] = json.loads((_TESTS.parent / "docs" / "manifest.schema.json").read_text())
_MANIFEST = jsonschema.Draft202012Validator(
    SCHEMA, format_checker=jsonschema.Draft202012Validator.FORMAT_CHECKER
)


def page_answer(name: str) -> dict[str, Any]:
    """An example of the page, `finished` or `running`."""
    answer: dict[str, Any] = json.loads((_TESTS / "data" / "gem" / f"{name}.json").read_text())
    return answer


def answer(status: object = "running", **fields: object) -> dict[str, Any]:
    """The JSON of a job, without its id."""
    return {
        "storageId": "storage-001",
        "inputFileName": "roads.parquet",
        "matchingType": "road",
        "status": status,
        "createdAt": "2026-01-20T10:00:00Z",
        "modifiedAt": "2026-01-20T10:00:00Z",
        **fields,
    }


def finished(**fields: object) -> dict[str, Any]:
    """The JSON of a finished job whose figures are those of `matched_file`."""
    statistics = {
        "roads_matched": "75%",
        "roads_unmatched": "25%",
        "roads_fully_matched": "75%",
        "roads_partially_matched": "0%",
        "confidence_threshold": 60,
        "num_roads_processed": ROWS,
    }
    return answer("finished", **{"outputFileName": OUTPUT, "statistics": statistics, **fields})


def job(status: object = "running", **fields: object) -> GemJob:
    """A job as GEM reports it."""
    return known.read({"jobRunId": JOB, **answer(status, **fields)}, job_run_id=JOB)


def new_record(job_run_id: str = JOB, at: datetime = START) -> JobRecord:
    """A job that was just registered."""
    return JobRecord(job_run_id=job_run_id, registered_at=at, due_at=at)


def policy(**limits: timedelta) -> Policy:
    """The defaults of the settings."""
    return Policy(
        **{
            "check_min": timedelta(seconds=30),
            "check_max": timedelta(minutes=10),
            "job_deadline": timedelta(days=7),
            "lost_after": timedelta(hours=1),
            "repeat_ticket_after": timedelta(minutes=15),
            **limits,
        }
    )


@cache
def matched_file(*, matched: int = MATCHED) -> bytes:
    """A small output that keeps every promise when 30 of its 40 rows are matched."""
    nothing = [None] * (ROWS - matched)
    table = pa.table(
        {
            "id": pa.array(range(ROWS), pa.int64()),
            "gers_id": pa.array(
                [f"08f2830d-6a4b-4c5d-8e9f-{n:012x}" for n in range(matched)] + nothing, pa.string()
            ),
            "match_confidence": pa.array([0.65 + n / 100 for n in range(matched)] + nothing),
            "match_status": pa.array(["matched"] * matched + ["unmatched"] * (ROWS - matched)),
        }
    )
    return parquet_bytes(table)


def check_manifest(body: str) -> dict[str, Any]:
    """The event of a message, held against the published schema and the limit of the queue."""
    assert len(body.encode()) <= 48 * 1024
    event: dict[str, Any] = json.loads(body, parse_constant=_no_json)
    _MANIFEST.validate(event)
    return event


def _no_json(word: str) -> None:
    raise AssertionError(f"{word} is no JSON (RFC 8259)")


def logged(caplog: pytest.LogCaptureFixture, event: str = "") -> list[dict[str, Any]]:
    """The facts of all our log lines of an event, with their level."""
    lines = [
        json.loads(line.getMessage()) | {"level": line.levelname}
        for line in caplog.records
        if line.name == "gem_core"
    ]
    return [line for line in lines if not event or line["event"] == event]


@dataclass
class World:
    """All edges of the app as fakes, and the stories' edges made of them."""

    gem: FakeGem = field(default_factory=FakeGem)
    files: FakeFiles = field(default_factory=FakeFiles)
    queue: FakeQueue = field(default_factory=FakeQueue)
    clock: FakeClock = field(default_factory=FakeClock)
    discovery: Discovery | None = None
    retention: Retention | None = None
    trap: Trap = field(default_factory=Trap)
    policy: Policy = field(default_factory=policy)
    concurrency: int = 1
    limiter: int = 1
    """Ticks that may ask side by side."""
    plan: BatchPlan | None = None
    """Of batches; None: a tick asks by itself."""
    batches: FakeBatches = field(default_factory=FakeBatches)
    output_grace: timedelta = timedelta(minutes=30)
    input_audit: bool = True
    jitter: Callable[[], float] = lambda: 0.0
    poison: tuple[Poison, ...] = ()
    audit: Audit = audit_in_process
    page: PageMode = PageMode.NONE
    routes: tuple[Route, ...] = (DEFAULT_ROUTE,)
    find_release: Callable[[str | None], Release | NoRelease] | None = None

    def __post_init__(self) -> None:
        self.jobs = MemoryDocuments(self.clock, "gem-jobs")
        self.worklist = MemoryDocuments(self.clock, "gem-worklist")
        self.tickets = MemoryDocuments(self.clock, "gem-tickets")
        self.reports = MemoryDocuments(self.clock, "gem-reports")
        self.failures = MemoryDocuments(self.clock, "gem-failures")
        self.manifests = MemoryDocuments(self.clock, "gem-outbox")
        self._further: dict[str, FakeQueue] = {}
        self._seen: dict[str, str] = {}
        self.slept: list[float] = []
        """Seconds that deliveries waited before they raised."""

    def _watched(self, documents: Documents, name: str) -> Documents:
        return self.trap.around(documents, name)

    @property
    def registry(self) -> JobRegistry:
        """Over the watched stores."""
        return JobRegistry(
            jobs=self._watched(self.jobs, "jobs"),
            worklist=self._watched(self.worklist, "worklist"),
            tickets=self._watched(self.tickets, "tickets"),
        )

    @property
    def outbox(self) -> Outbox:
        """Over the watched stores."""
        return Outbox(
            events=self._watched(self.manifests, "manifests"),
            reports=self._watched(self.reports, "reports"),
            failures=self._watched(self.failures, "failures"),
        )

    @property
    def heartbeat(self) -> Heartbeat:
        """Over the watched store."""
        return Heartbeat(self._watched(self.worklist, "heartbeat"))

    @property
    def checker(self) -> Checker:
        """The edges of a tick; its leases never wait."""
        return Checker(
            registry=self.registry,
            heartbeat=self.heartbeat,
            gem=self.trap.around(self.gem, "gem"),
            policy=self.policy,
            limiter=RateLimiter(
                self._watched(self.worklist, "leases"),
                count=self.plan.concurrency if self.plan else self.limiter,
                per_second=1e9,
                clock=SleepClock(self.clock, lambda _: None),
            ),
            clock=self.clock,
            jitter=self.jitter,
            each=in_threads(self.concurrency),
            places=self.concurrency,
            poison=self.poison,
            durations=DurationStore(self._watched(self.worklist, "durations")),
            batches=self.trap.around(self.batches, "batches") if self.plan else None,
            plan=self.plan,
            discovery=self.discovery,
            retention=self.retention,
        )

    @property
    def deliverer(self) -> Deliverer:
        """The edges of a delivery."""
        return Deliverer(
            registry=self.registry,
            heartbeat=self.heartbeat,
            outbox=self.outbox,
            routes=self.routes,
            queues={
                route.name: self.trap.around(self.queues[route.name], "queue")
                for route in self.routes
            },
            files=self.trap.around(self.files, "files"),
            job_url=lambda id_: f"https://gem.example/jobs/{id_}",
            output_grace=self.output_grace,
            input_audit=self.input_audit,
            policy=self.policy,
            clock=self.clock,
            sleep=self.slept.append,
            audit=self.audit,
            report_not_opened=not_opened_in_process,
            page=self.page,
            find_release=self.find_release,
        )

    @property
    def queues(self) -> dict[str, FakeQueue]:
        """The queue of each route."""
        further = {
            route.name: self._further.setdefault(route.name, FakeQueue())
            for route in self.routes
            if route.name != DEFAULT
        }
        return {DEFAULT: self.queue, **further}

    @property
    def manager(self) -> JobManager:
        """The edges of the HTTP endpoints."""
        return JobManager(
            registry=self.registry,
            outbox=self.outbox,
            heartbeat=self.heartbeat,
            policy=self.policy,
            schedule=Schedule.parse("0 * * * * *"),
            clock=self.clock,
            routes=self.routes,
            poison=lambda: self.poison,
            each=in_threads(self.concurrency),
        )

    def record(self, job_run_id: str = JOB) -> JobRecord:
        """The record as it is stored."""
        held = self.jobs.get(job_run_id + SUFFIX)
        assert held
        return record_from_bytes(held.body)

    def add(self, *job_run_ids: str) -> None:
        """Register jobs, due now."""
        for job_run_id in job_run_ids:
            self.registry.add(new_record(job_run_id, self.clock()))

    def settle(self, gem_answer: Mapping[str, Any], job_run_id: str = JOB) -> None:
        """Put a settled job where a tick would have left it, ticket included."""
        settled = known.read({"jobRunId": job_run_id, **gem_answer}, job_run_id=job_run_id)
        self.gem.answers[job_run_id] = [gem_answer]
        assert settled.status
        assert settled.status.is_final
        self.add(job_run_id)
        stored = self.registry.get(job_run_id)
        assert stored

        ask(self.checker, stored)

    def stored_manifests(self) -> list[str]:
        """The names of the stored manifests, without the list of those that were sent."""
        return [name for name in self.manifests.names() if "/" in name]

    def wait(self, job_run_id: str = JOB) -> None:
        """Let the wait of a postponed delivery pass, if it is postponed."""
        record = self.record(job_run_id)
        if is_early(record, self.clock()):
            self.clock.now = record.due_at

    def new_tickets(self) -> list[str]:
        """The jobs whose ticket was written since the last call: what the blob trigger sees."""
        fresh = []
        for name in self.tickets.names():
            held = self.tickets.get(name)
            if held and self._seen.get(name) != held.etag:
                self._seen[name] = held.etag
                fresh.append(name.removesuffix(SUFFIX))
        return fresh

    def marked(self, job_run_id: str = JOB) -> bool:
        """Whether the job is on the worklist."""
        return MARKER_PREFIX + job_run_id in self.worklist.names()

    def assert_open_records_are_marked(self) -> None:
        """The invariant of the registry."""
        for name in self.jobs.names():
            job_run_id = name.removesuffix(SUFFIX)
            assert self.record(job_run_id).stage is Stage.DELIVERED or self.marked(job_run_id)
