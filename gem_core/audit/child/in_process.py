"""An audit in this process, with its page: what the child does, and what profiling needs."""

from dataclasses import replace

from gem_core.audit.audit import audit, look_up_ids
from gem_core.audit.child.failures import failures_file
from gem_core.audit.child.result import AuditResult, PageOptions
from gem_core.audit.judging.file_checks import layout_known
from gem_core.audit.judging.report import Report
from gem_core.audit.judging.report_json import report_to_json
from gem_core.audit.options import DEFAULT_OPTIONS, AuditOptions
from gem_core.audit.overture.release import NoRelease, Release
from gem_core.audit.parquet.opened_file import Fault
from gem_core.audit.parquet.reader_errors import in_short
from gem_core.audit.reading.source import Source
from gem_core.audit.rows.progress import OnRows
from gem_core.errors import CourierError
from gem_core.gem.job import GemJob
from gem_core.page.make import Page, make_page


def audit_in_process(  # noqa: PLR0913 - as `Engine.audit`
    output: Source,
    job: GemJob,
    *,
    input_source: Source | None,
    input_note: str = "",
    expected_input: str | None = None,
    on_rows: OnRows | None = None,
    options: AuditOptions = DEFAULT_OPTIONS,
    page: PageOptions | None = None,
    release: Release | NoRelease | None = None,
) -> AuditResult:
    """Audit without limits; arguments and errors are those of `Engine.audit`."""
    report = audit(
        output,
        job,
        input_source=input_source,
        input_note=input_note,
        expected_input=expected_input,
        on_rows=on_rows,
        options=options,
    )
    if release:
        report = look_up_ids(report, output, release, options)
    drawn, problem = draw_page(report, output, page)
    result = replace(result_of(report, with_rows=options.failing_rows > 0), page_problem=problem)
    return replace(result, page=drawn.html, map_note=drawn.map_note) if drawn else result


def result_of(report: Report, *, with_rows: bool = False) -> AuditResult:
    """What is kept of a report, yet without its page; with a file of failing rows only if asked."""
    result = AuditResult(
        outcome=report.outcome,
        report=report_to_json(report),
        temporary_problem=report.temporary_problem,
        rows=report.rows,
        share_matched=report.share_matched,
        bytes_read=report.bytes_read,
        requests=report.requests,
        unfinished=_unfinished(report),
        over_limit=report.over_limit,
        not_looked_up=report.not_looked_up,
        not_compared=report.not_compared,
        layout_known=layout_known.name not in report.failed(),
        is_read=report.is_read,
    )
    return _with_failures(result, report) if with_rows else result


def _with_failures(result: AuditResult, report: Report) -> AuditResult:
    """With the file of failing rows, or why there is none: it never costs the verdict."""
    try:
        failures, rows = failures_file(report)
    except Exception as error:  # noqa: BLE001 - whatever it is, the verdict stands without the file
        problem = f"{type(error).__name__}: {in_short(error)}"
        return replace(result, failures_problem=problem)
    return replace(result, failures=failures, failing_rows=rows)


def _unfinished(report: Report) -> str:
    file = report.facts.file
    return file.detail if isinstance(file, Fault) and file.is_unfinished else ""


def draw_page(
    report: Report, output: Source | None, options: PageOptions | None
) -> tuple[Page | None, str]:
    """The page, or why there is none although one was asked for: it never costs the verdict."""
    if options is None:
        return None, ""
    try:
        page = make_page(
            report, output, options.at, with_map=options.with_map, labels=options.labels
        )
    except CourierError as error:
        return None, in_short(error)
    except Exception as error:  # noqa: BLE001 - whatever it is, the verdict stands without the page
        return None, f"{type(error).__name__}: {in_short(error)}"
    return page, ""
