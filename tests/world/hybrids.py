"""Hybrids: jobs whose answers and files mix the words of every generation, and of none.

A seed is a hybrid. It goes through the pure core: reading, settling, judging, manifest.
"""

import json
from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import timedelta
from functools import cache
from io import BytesIO
from random import Random
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from gem_core.audit.audit import audit
from gem_core.audit.judging.facts import Facts
from gem_core.audit.judging.report import Report, judge
from gem_core.audit.judging.report_json import report_to_json
from gem_core.audit.rows.gers import expected_format
from gem_core.deliver.audit_parts import audit_parts
from gem_core.deliver.cloud_event import CloudEvent
from gem_core.deliver.manifest import manifest, whole_event
from gem_core.deliver.version import NotAudited, Version
from gem_core.errors import GemAnswerError, GemError, GemJobNotFound, GemUnavailable
from gem_core.gem.contracts import known
from gem_core.gem.contracts.contract import Contract
from gem_core.gem.contracts.members import Statistic
from gem_core.gem.job import GemJob
from gem_core.outcome import Outcome
from gem_core.watch.record import JobRecord, Settlement
from gem_core.watch.schedule import settlement
from tests.builders import JOB, new_record, policy
from tests.fakes import START, FakeFiles, FakeSource

CONTRACTS = (*known.CONTRACTS.values(),)
INVENTED = {
    "job_id": "run", "storage_id": "store", "input_name": "source", "output_name": "target",
    "matching_type": "task", "overture_release": "base", "created_at": "began", "status": "state",
    "statistics": "numbers", "progress": "done", "modified_at": "touched", "message": "why",
}  # fmt: skip
INVENTED_WORDS = ("waiting", "ready", "Finished", "success", "stopped", "FAIL")
NUMBER = "123456789"
TIMES_ASKED = 7
"""Questions about a job before its deadline, in the pure core."""


@dataclass(frozen=True)
class Hybrid:
    """One job."""

    job_run_id: str
    answer: dict[str, Any] | GemError
    """GEM's last answer, or what every question about the job meets."""
    files: dict[str, tuple[str, ...]]
    """The files in the storage, by name: their columns."""
    sources: frozenset[str]
    """The generations whose words can be seen in the answer."""


def hybrid(seed: int) -> Hybrid:
    """Make one."""
    random = Random(seed)
    job_run_id = random.choice((JOB, NUMBER))
    if random.random() < 0.1:
        error = random.choice(
            (GemAnswerError("GEM answered 410"), GemAnswerError("GEM answered 400"),
             GemAnswerError("GEM answered 200 with something that is not JSON"),
             GemUnavailable("GEM answered 500"), GemJobNotFound("404"))
        )  # fmt: skip
        return Hybrid(job_run_id, error, {}, frozenset())
    answer, sources = _answer(random, job_run_id)
    return Hybrid(job_run_id, answer, dict(_files(random, answer)), frozenset(sources))


def _answer(random: Random, job_run_id: str) -> tuple[dict[str, Any], set[str]]:
    base = random.choice(CONTRACTS)
    strays = random.choice((0.0, 0.1, 0.5))
    """How many members come from elsewhere."""
    sources: set[str] = set()

    def of() -> Contract | None:
        """The contract of one member; None invents a name."""
        if random.random() >= strays:
            return base
        return random.choice((*CONTRACTS, None))

    answer: dict[str, Any] = {}
    input_name = random.choice(("roads.parquet", "a.b.parquet", "roads"))
    word, source = _word(random, of())
    values: dict[str, object] = {
        "job_id": int(NUMBER) if job_run_id == NUMBER and random.random() < 0.7 else job_run_id,
        "storage_id": "storage-001",
        "input_name": input_name,
        "output_name": random.choice(
            (base.output_name(input_name), *(each.output_name(input_name) for each in CONTRACTS),
             "predictions.parquet", None, 7)
        ),
        "matching_type": random.choice(("road", "ROAD_MATCHING", "LANE_LEVEL_MATCHING")),
        "overture_release": random.choice(("2026-01-21.0", "<latest-overture-release>", None)),
        "created_at": "2026-01-20T10:00:00Z",
        "progress": random.choice((None, 65, 140)),
        "modified_at": random.choice((None, "2026-01-20T10:25:00Z")),
        "message": random.choice((None, "no geometry")),
        "statistics": dict(_figures(random, of)),
    }  # fmt: skip
    for member, value in values.items():
        contract = base if member == "job_id" and random.random() < 0.9 else of()
        name = getattr(contract.members, member) if contract else INVENTED[member]
        if name and (value is not None or random.random() < 0.5):
            answer[name] = value
            if contract and value is not None and name not in _shared():
                sources.add(contract.name)
    for each in CONTRACTS:
        own = {*each.statistics.values()} - _shared_figures()
        if any(value is not None for name, value in _read_figures(answer).items() if name in own):
            sources.add(each.name)
    answer[INVENTED["status"] if random.random() < 0.02 else "status"] = word
    return answer, (sources | {source}) - {""}


@cache
def _shared() -> frozenset[str]:
    """Names that every contract has."""
    return frozenset.intersection(*(each.members.names for each in CONTRACTS))


@cache
def _shared_figures() -> frozenset[str]:
    return frozenset.intersection(*(frozenset(each.statistics.values()) for each in CONTRACTS))


def _read_figures(answer: dict[str, Any]) -> dict[str, Any]:
    figures: dict[str, Any] = answer.get("statistics", {})
    return figures


def _word(random: Random, contract: Contract | None) -> tuple[str, str]:
    if contract is None:
        return random.choice(INVENTED_WORDS), "invented"
    words = contract.words.split(", ")
    word = random.choice((words[2], *words))
    is_shared = all(each.status(word) for each in CONTRACTS)
    return word, "" if is_shared else contract.name


def _figures(random: Random, of: Any) -> Iterator[tuple[str, object]]:  # noqa: ANN401 - the choice of a contract
    for statistic in CONTRACTS[0].statistics:
        contract = of()
        if contract is None:
            continue
        share = random.choice(("75%", "75.00%", 0.75, 75, "150%", 1.5, None, "many", True))
        count: object = random.choice((12, 60, 12.0, -1, "12"))
        yield contract.statistics[statistic], share if "Share" in statistic else count


_COLUMNS = (
    "id", "gers_id", "match_confidence", "match_status", "gers", "confidence", "lr_id", "lr_gers",
    "match_type", "linear_ref_start", "linear_ref_end", "overture_release", "traceId",
    "mapRevisionId", "roads", "road", "entity", "geometry",
)  # fmt: skip
_LAYOUTS = (
    ("id", "geometry", "gers_id", "match_confidence", "match_status"),
    ("id", "gers", "confidence", "lr_id", "lr_gers"),
    ("id", "gers_id", "confidence", "match_type", "linear_ref_start", "linear_ref_end"),
    ("traceId", "mapRevisionId", "roads"),
    ("road", "entity"),
)


def _files(random: Random, answer: dict[str, Any]) -> Iterator[tuple[str, tuple[str, ...]]]:
    names = [value for value in answer.values() if isinstance(value, str) and "." in value]
    for name in {*names, "roads_matched.parquet", "roads.results.parquet", "predictions.parquet"}:
        if random.random() < 0.5:
            columns = [*random.choice(_LAYOUTS)]
            if random.random() < 0.3:
                columns.remove(random.choice(columns))
            columns += random.sample(_COLUMNS, random.choice((0, 0, 0, 1, 3)))
            yield name, tuple(dict.fromkeys(columns))


@cache
def file_of(columns: tuple[str, ...]) -> bytes:
    """A file of twelve rows with these columns, nine of them matched."""
    ids = [f"08f2830d-6a4b-4c5d-8e9f-{number:012x}" for number in range(9)]
    nothing = [None] * 3
    values: dict[str, pa.Array] = {
        "id": pa.array(range(12), pa.int64()),
        "gers_id": pa.array(ids + nothing, pa.string()),
        "gers": pa.array(ids + nothing, pa.string()),
        "match_confidence": pa.array([0.65 + n / 100 for n in range(9)] + nothing),
        "confidence": pa.array([65 + n for n in range(9)] + nothing, pa.int32()),
        "match_status": pa.array(["matched"] * 9 + ["unmatched"] * 3),
        "match_type": pa.array(["full"] * 9 + ["none"] * 3),
        "linear_ref_start": pa.array([0.0] * 12),
        "linear_ref_end": pa.array([9.0] * 12),
    }
    text = pa.array(["x"] * 12)
    file = BytesIO()
    pq.write_table(pa.table({name: values.get(name, text) for name in columns}), file)
    return file.getvalue()


_FACTS: dict[tuple[object, ...], Facts] = {}


def report_of(job: GemJob, source: FakeSource, columns: tuple[str, ...]) -> Report:
    """The report about a file. Files of the same columns in the same layout are read once."""
    layout = known.layout_of(job, columns)
    threshold = repr(known.figure(job, Statistic.CONFIDENCE_THRESHOLD).value)
    key = (columns, layout.name if layout else "", threshold, expected_format(job.overture_release))
    if key not in _FACTS:
        _FACTS[key] = audit(source, job, input_source=None, input_note="none").facts
    facts = replace(_FACTS[key], job=job, name=source.name)
    return judge(facts, bytes_read=0, requests=0)


def settled(made: Hybrid) -> tuple[JobRecord, timedelta]:
    """The record when the job has ended, and how long that took."""
    limits = policy()
    record, now = new_record(made.job_run_id), START
    moments = [limits.job_deadline * n / TIMES_ASKED for n in range(TIMES_ASKED)]
    moments += [limits.job_deadline + limits.check_max * n for n in range(4)]
    for age in moments:
        now = START + age
        record = _asked(record, made, now, is_late=age >= limits.job_deadline)
        if reason := settlement(record, now, limits):
            return record.settled(reason, now), age
    raise AssertionError("the job is watched for ever")


def _asked(record: JobRecord, made: Hybrid, now: Any, *, is_late: bool) -> JobRecord:  # noqa: ANN401 - a moment
    try:
        if isinstance(made.answer, GemError):
            raise made.answer
        job = known.read(made.answer, job_run_id=made.job_run_id)
    except GemJobNotFound:
        return record.answered_not_found(now)
    except GemError as error:
        return record.not_answered(str(error), now, is_beyond_deadline=is_late)
    return record.answered(job, now)


def event_of(made: Hybrid, record: JobRecord) -> CloudEvent:
    """The manifest of a settled hybrid."""
    outcome, version, report, source = _ending(made, record)
    parts = audit_parts(report_to_json(report) if report else None, source, record, START)
    event = whole_event(
        record,
        parts,
        id_=version.event_id(record),
        outcome=outcome,
        job_url="https://gem.example/jobs/1",
        report_url="https://state.example/report.json",
        page_url=None,
        now=record.settled_at or START,
    )
    return manifest(json.loads(json.dumps(event)))


def _ending(
    made: Hybrid, record: JobRecord
) -> tuple[Outcome, Version, Report | None, FakeSource | None]:
    if record.settlement is not Settlement.FINISHED or record.job is None:
        outcome = Outcome(str(record.settlement))
        return outcome, Version.of_settlement(outcome), None, None
    name = record.job.output_name or record.job.promised_output or ""
    columns = made.files.get(name)
    if columns is None:
        return Outcome.OUTPUT_MISSING, Version.output_missing(None), None, None
    source = FakeSource(name, "E1", file_of(columns), FakeFiles())
    source.files.held[name] = ("E1", source.body)
    report = report_of(record.job, source, columns)
    version = Version.of_etag("E1")
    if "layout_known" in report.failed():
        version = Version.not_audited("E1", NotAudited.LAYOUT, None)
    return report.outcome, version, report, source


def is_told(made: Hybrid, data: dict[str, Any]) -> bool:
    """Whether a reader of the manifest learns that the job is a mixture, if it can be seen."""
    if isinstance(made.answer, GemError) or len(made.sources) < 2:
        return True
    failed = {check["name"] for check in data["checks"]["notPassed"]}
    return bool(data["drift"] or data["settlement"]["lastProblem"] or failed & {"layout_known"})


def breach_of(seed: int) -> str:
    """What is wrong with the end of a hybrid, or empty."""
    made = hybrid(seed)
    try:
        record, took = settled(made)
        event = event_of(made, record)
    except Exception as error:  # noqa: BLE001 - whatever it is, this job has no manifest
        return f"hybrid {seed} has no manifest: {error!r}"
    limits = policy()
    if took > limits.job_deadline + limits.check_max * 2:
        return f"hybrid {seed} took {took}"
    if event_of(made, record).id != event.id:
        return f"hybrid {seed} has two ids"
    if not is_told(made, json.loads(event.body)["data"]):
        return f"hybrid {seed} is not told"
    return ""


def breaches(seeds: range) -> list[str]:
    """The breaches of these hybrids."""
    return [breach for seed in seeds if (breach := breach_of(seed))]
