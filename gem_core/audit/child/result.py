"""The result of an audit as plain data, whether a child made it or this process. Pure."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from gem_core.outcome import Outcome


@dataclass(frozen=True, slots=True)
class PageOptions:
    """How the report is drawn as a page."""

    at: datetime
    """When the output was audited, for the page to say."""
    with_map: bool
    labels: Mapping[str, str] = field(default_factory=dict)
    """Of the job's registration, for the page to show."""


@dataclass(frozen=True, slots=True)
class AuditResult:
    """What an audit found."""

    outcome: Outcome
    report: Mapping[str, Any]
    """The report as JSON; see `judging.report_json`."""
    temporary_problem: str
    """Why checks did not run for now, or empty; see `Report.temporary_problem`."""
    rows: int | None
    share_matched: float | None
    """Of the rows, 0 to 1."""
    bytes_read: int
    """Of the output."""
    requests: int
    """For the output, with the one that opened it."""
    layout_known: bool = True
    """Whether the app knows the layout of the output, as far as it was opened."""
    is_read: bool = True
    """See `Report.is_read`."""
    unfinished: str = ""
    """What shows that the output may still be being written: it has no whole footer. Or empty."""
    over_limit: str = ""
    """Which limit of ours kept checks from running, or empty; see `Report.over_limit`."""
    not_looked_up: str = ""
    """Why GERS ids were not looked up in Overture, or empty; see `Report.not_looked_up`."""
    not_compared: tuple[str, ...] = ()
    """Why comparisons with the input that were asked for did not run; each reason once."""
    input_left_out: str = ""
    """Why the audit ran without the input although it can be read; empty when it did not."""
    failures: bytes | None = None
    """The failing rows as a Parquet file (`failures.SCHEMA`); None when nobody asked for it, or it
    could not be made."""
    failing_rows: int = 0
    """How many rows it has."""
    failures_problem: str = ""
    """Why there is no such file although one was asked for, or empty."""
    page: str | None = None
    """The report as HTML; None when no page was asked for, or none could be drawn."""
    page_problem: str = ""
    """Why there is no page although one was asked for, or empty."""
    map_note: str = ""
    """Why the page has no map although one was asked for, or why the map lacks roads; or empty."""
