"""Runs the command `audit`. Edge: terminal, files."""

import json
import re
import sys
from dataclasses import dataclass
from pathlib import Path

from gem_core.audit.audit import audit
from gem_core.audit.judging.checks import COMPARISONS
from gem_core.audit.judging.report import Report
from gem_core.audit.judging.report_json import report_to_json
from gem_core.audit.judging.verdict import Verdict
from gem_core.audit.options import LIMIT_BYTES, AuditOptions, IdLimits
from gem_core.audit.reading.address import parse_address
from gem_core.audit.reading.source import Source, open_file
from gem_core.audit.rows.progress import Pass
from gem_core.commands.exit_codes import INVALID, NO_PAGE, UNKNOWN, VALID
from gem_core.commands.page_file import check_page_file, write_page_file
from gem_core.commands.progress import ProgressLine
from gem_core.commands.report_text import report_lines
from gem_core.commands.table import plain
from gem_core.commands.terminal import print_error, print_json, print_lines
from gem_core.errors import CourierError, GemAnswerError, OutputMissing, RequestError
from gem_core.gem.contracts.known import DEFAULT
from gem_core.gem.job import GemJob, JobStatus
from gem_core.outcome import Outcome
from gem_core.wiring.addresses import open_address
from gem_core.wiring.environment import now

NO_JOB = GemJob(job_run_id="", contract=DEFAULT.name, status_text="", answer={})
"""The job when there is no --job: its names and statistics are not compared."""

_ADDRESS = re.compile(r"[a-z][a-z0-9+.-]+://", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class AuditRequest:
    """The arguments of the command."""

    output: str
    """File or address, like `input`."""
    input: str | None = None
    job: Path | None = None
    as_json: bool = False
    html: Path | None = None
    with_map: bool = False
    with_values: bool = False
    """Whether to compare every value of the input's columns."""
    ids_memory_mib: int = LIMIT_BYTES >> 20
    ids_folder: Path | None = None
    """None is the system's temporary directory."""


def run(request: AuditRequest) -> int:
    """Audit the file, print the report, write the page. Returns the exit code.

    Raises:
        CourierError: the file cannot be audited; the message gives the reason.

    """
    _check_page(request)
    options = _audit_options(request)
    job = _read_job(request.job) if request.job else NO_JOB
    if request.job:
        print_error("\n".join(f"--job: {warning}" for warning in _job_warnings(job)))
    output = _open(request.output)
    report = _audit(request, job, output, options)
    # The report is printed before the page is drawn, so that it is never lost with the page.
    _print(request, report, output)
    if request.html is not None and not _draw(
        request.html, report, output, with_map=request.with_map
    ):
        return NO_PAGE
    return _exit_code(request, report)


def _audit(request: AuditRequest, job: GemJob, output: Source, options: AuditOptions) -> Report:
    input_source = _open(request.input) if request.input is not None else None
    last = Pass.COMPARED if request.with_values else Pass.CHECKED
    with ProgressLine(sys.stderr, last=last) as progress:
        return audit(
            output,
            job,
            input_source=input_source,
            input_note="there is no --input",
            on_rows=progress.rows,
            options=options,
        )


def _exit_code(request: AuditRequest, report: Report) -> int:
    if report.outcome is Outcome.INVALID:
        return INVALID
    if report.outcome is Outcome.NOT_AUDITED:
        return UNKNOWN
    if request.input is not None and (reasons := _not_compared(report)):
        print_error(f"could not be compared with --input: {'; '.join(reasons)}")
        return UNKNOWN
    return VALID


def _job_warnings(job: GemJob) -> list[str]:
    """Why GEM's answer may not describe this file."""
    unfinished = (
        f"the status of the job is {job.status_text}, not finished: "
        "the file may belong to an earlier job"
    )
    return [*([] if job.status is JobStatus.FINISHED else [unfinished]), *job.drift]


def _not_compared(report: Report) -> list[str]:
    """Why requested comparisons did not happen; each reason once."""
    reasons = (
        line.judgement.detail
        for line in report.checks
        if line.name in COMPARISONS and line.verdict is Verdict.NOT_RUN and line.judgement.is_asked
    )
    return list(dict.fromkeys(reasons))


def _open(text: str) -> Source:
    return open_address(parse_address(text)) if _ADDRESS.match(text) else open_file(Path(text))


def _read_job(path: Path) -> GemJob:
    try:
        answer = json.loads(path.read_bytes())
    except FileNotFoundError:
        raise OutputMissing(f"--job: {path} does not exist") from None
    except OSError as error:
        raise RequestError(f"--job: {path}: {error.strerror}") from None
    except (json.JSONDecodeError, UnicodeDecodeError):
        raise RequestError(f"--job: {path} is not JSON") from None
    except RecursionError:
        raise RequestError(f"--job: {path} is nested too deeply") from None
    except ValueError:  # the only other cause: Python refuses numbers of more than 4,300 digits
        raise RequestError(f"--job: {path} has a number with too many digits") from None
    try:
        return DEFAULT.read(answer)
    except GemAnswerError as error:
        raise RequestError(f"--job: {path} is not GEM's answer about a job: {error}") from None


def _audit_options(request: AuditRequest) -> AuditOptions:
    """The options of the audit. Checks the arguments before the file is read."""
    if request.with_values and request.input is None:
        raise RequestError("--compare columns needs --input")
    if request.ids_folder is not None:
        _check_folder(request.ids_folder)
    limits = IdLimits(request.ids_memory_mib << 20, request.ids_folder)
    return AuditOptions(
        limits, with_input=request.input is not None, with_values=request.with_values
    )


def _check_folder(path: Path) -> None:
    try:
        is_folder = path.is_dir()
    except OSError as error:
        raise RequestError(f"--ids-folder: {path}: {error.strerror}") from None
    if not is_folder:
        raise RequestError(f"--ids-folder: there is no folder {path}")


def _check_page(request: AuditRequest) -> None:
    """Check --html and --map before a long audit starts."""
    if request.html is not None:
        read = (request.output, request.input, request.job)
        check_page_file(request.html, [source for source in read if source is not None])
    elif request.with_map:
        raise RequestError("--map needs --html, because the map is part of the page")


def _print(request: AuditRequest, report: Report, output: Source) -> None:
    if request.as_json:
        print_json(report_to_json(report))
    else:
        print_lines(report_lines(report, output, with_job=request.job is not None))


def _draw(path: Path, report: Report, output: Source, *, with_map: bool) -> bool:
    """Write the page. If that fails, print the reason and return False."""
    from gem_core.page.make import make_page  # noqa: PLC0415 - only needed with --html

    try:
        with ProgressLine(sys.stderr) as progress:
            progress.show("drawing the page")
            write_page_file(path, make_page(report, output, now(), with_map=with_map))
    except CourierError as error:
        print_error(plain(f"the page was not written: {error}"))
        return False
    return True
