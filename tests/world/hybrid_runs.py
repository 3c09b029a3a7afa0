"""Takes hybrids through the pure core: reading, settling, judging, manifest."""

import json
from dataclasses import replace
from datetime import timedelta
from functools import cache
from typing import Any

import pyarrow as pa

from gem_core.audit.audit import audit
from gem_core.audit.judging.facts import Facts
from gem_core.audit.judging.report import Report, judge
from gem_core.audit.judging.report_json import report_to_json
from gem_core.audit.rows.gers import expected_format
from gem_core.deliver.audit_parts import audit_parts
from gem_core.deliver.cloud_event import CloudEvent
from gem_core.deliver.manifest import Links, manifest, whole_event
from gem_core.deliver.version import NotAudited, Version
from gem_core.errors import GemError, GemJobNotFound
from gem_core.gem.contracts import known
from gem_core.gem.contracts.members import Statistic
from gem_core.gem.job import GemJob
from gem_core.outcome import Outcome
from gem_core.watch.record import JobRecord, Settlement
from gem_core.watch.schedule import settlement
from tests.builders import new_record, policy
from tests.fakes import START, FakeFiles, FakeSource
from tests.parquet_files import parquet_bytes
from tests.world.hybrids import Hybrid, hybrid

TIMES_ASKED = 7
"""Questions about a job before its deadline, in the pure core."""


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
    return parquet_bytes(pa.table({name: values.get(name, text) for name in columns}))


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
        return record.answered_not_found(now, is_beyond_deadline=is_late)
    except GemError as error:
        return record.not_answered(str(error), now, is_beyond_deadline=is_late)
    return record.answered(job, now, is_beyond_deadline=is_late)


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
        links=Links("https://state.example/report.json"),
        now=record.settled_at or START,
    )
    return manifest(json.loads(json.dumps(event)), ())


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
