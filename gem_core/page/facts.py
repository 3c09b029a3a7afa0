"""Facts that the page lists by name: the job, and where the report comes from. Pure."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

import pyarrow as pa

from gem_core.audit.judging.report import Report
from gem_core.audit.reading.source import Source
from gem_core.page.survey import Survey
from gem_core.page.words import count, moment, number_of, size

_MAX_TEXT = 300
"""Maximum number of characters of a text from a file or from GEM."""


@dataclass(frozen=True, slots=True)
class Fact:
    """A name and its value."""

    name: str
    value: str
    note: str = ""


def job_facts(report: Report, labels: Mapping[str, str]) -> tuple[Fact, ...]:
    """The job and its labels."""
    job = report.facts.job
    known = (("Job", job.job_run_id), *labels.items())
    return tuple(Fact(shortened(name), shortened(value)) for name, value in known if value)


def provenance(
    report: Report, survey: Survey, output: Source | None, at: datetime
) -> tuple[Fact, ...]:
    """Which file was audited, when, with what, and for which job."""
    job, input_, values = report.facts.job, report.facts.input, report.facts.values
    opened = report.facts.opened
    facts = [
        ("File", output.url if output else None),
        ("ETag", output.etag if output else None),
        ("Version", output.version_id if output else None),
        ("Written", moment(output.last_modified) if output else None),
        ("Size", size(output.size_bytes) if output else None),
        ("Row groups", count(opened.row_groups) if opened else None),
        ("Audited", moment(at)),
        ("Ruleset", report.ruleset),
        ("Reader", f"pyarrow {pa.__version__}"),
        ("Read for the checks", _reading(report.bytes_read, report.requests)),
        ("Read again for this page", size(survey.bytes_read) if survey.bytes_read else None),
        ("Layout", report.facts.promises.layout.name if report.facts.promises else None),
        ("Contract", job.contract if job.answer else None),
        ("Matching", job.matching_type),
        ("Overture release", job.overture_release),
        ("Job created", moment(job.created_at) if job.created_at else None),
        ("Job last modified", moment(job.modified_at) if job.modified_at else None),
        ("Input", input_.name),
        ("Input rows", count(input_.rows) if input_.rows is not None else None),
        ("Input not compared", input_.note or None),
        ("Rows compared value by value", count(values.rows) if values and values.rows else None),
    ]
    return tuple(Fact(name, shortened(value)) for name, value in facts if value)


def _reading(read: int, requests: int) -> str:
    return f"{size(read)} in {number_of(requests, 'request')}"


def shortened(value: object) -> str:
    """A text from a file or from GEM, at most 300 characters."""
    text = str(value)
    return text if len(text) <= _MAX_TEXT else text[: _MAX_TEXT - 1] + "…"
