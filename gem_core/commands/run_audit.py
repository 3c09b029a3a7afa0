"""The story of the command `audit`. Edge: terminal, files."""

import json
import re
import sys
from dataclasses import dataclass
from pathlib import Path

from gem_core.audit.audit import AuditOptions, audit
from gem_core.audit.ids.facts import LIMIT_BYTES, IdLimits
from gem_core.audit.judging.checks import COMPARISONS
from gem_core.audit.judging.report import Report
from gem_core.audit.judging.report_json import report_to_json
from gem_core.audit.judging.verdict import Verdict
from gem_core.audit.reading.address import parse_address
from gem_core.audit.reading.source import Source, open_file
from gem_core.audit.rows.progress import Pass
from gem_core.commands.page_file import check_page_file, write_page_file
from gem_core.commands.progress import ProgressLine
from gem_core.commands.table import plain
from gem_core.commands.terminal import complain, say, say_json
from gem_core.commands.text import in_words
from gem_core.errors import CourierError, GemAnswerError, OutputMissing, RequestError
from gem_core.gem.contracts.known import DEFAULT
from gem_core.gem.job import GemJob, JobStatus
from gem_core.outcome import Outcome
from gem_core.wiring.addresses import open_address
from gem_core.wiring.environment import now

VALID, INVALID, UNKNOWN, NO_PAGE = 0, 1, 2, 3
"""The report is printed in each case. Unknown: the file could not be judged, or it is valid but
could not be compared with the input as asked. No page: it was asked for and is missing."""

NO_JOB = GemJob(job_run_id="", contract=DEFAULT.name, status_text="", answer={})
"""Without --job nothing is known of the job: its names and statistics are not compared."""

_ADDRESS = re.compile(r"[a-z][a-z0-9+.-]+://", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class AuditRequest:
    """What was asked for."""

    output: str
    """File or address, as the next one."""
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
    """Audit, print, draw; gives the exit code. A page that is not drawn takes no report with it.

    Raises:
        CourierError: it could not be audited, and why.

    """
    _check_page(request)
    options = _effort(request)
    job = _read_job(request.job) if request.job else NO_JOB
    if request.job:
        complain("\n".join(f"--job: {doubt}" for doubt in _doubts(job)))
    output = _open(request.output)
    input_source = _open(request.input) if request.input is not None else None
    last = Pass.COMPARED if request.with_values else Pass.CHECKED
    with ProgressLine(sys.stderr, last=last) as progress:
        report = audit(
            output,
            job,
            input_source=input_source,
            input_note="no --input was given",
            on_rows=progress.rows,
            options=options,
        )
    # First the report, which nothing that becomes of the page may take away.
    _print(request, report, output)
    if request.html is not None and not _draw(
        request.html, report, output, with_map=request.with_map
    ):
        return NO_PAGE
    if report.outcome is Outcome.INVALID:
        return INVALID
    if report.outcome is Outcome.NOT_AUDITED:
        return UNKNOWN
    if request.input is not None and (reasons := _not_compared(report)):
        complain(f"not compared with --input as asked: {'; '.join(reasons)}")
        return UNKNOWN
    return VALID


def _doubts(job: GemJob) -> list[str]:
    """Why the details may be no measure of the file."""
    unfinished = f"the job is {job.status_text}, not finished: the file may be of an earlier one"
    return [*([] if job.status is JobStatus.FINISHED else [unfinished]), *job.drift]


def _not_compared(report: Report) -> list[str]:
    """Why comparisons that were asked for did not happen, each reason once."""
    found = (
        line.judgement.detail
        for line in report.checks
        if line.name in COMPARISONS and line.verdict is Verdict.NOT_RUN and line.judgement.is_asked
    )
    return list(dict.fromkeys(found))


def _open(text: str) -> Source:
    return open_address(parse_address(text)) if _ADDRESS.match(text) else open_file(Path(text))


def _read_job(path: Path) -> GemJob:
    try:
        answer = json.loads(path.read_bytes())
    except FileNotFoundError:
        raise OutputMissing(f"--job: {path} is not there") from None
    except OSError as error:
        raise RequestError(f"--job: {path}: {error.strerror}") from None
    except (json.JSONDecodeError, UnicodeDecodeError):
        raise RequestError(f"--job: {path} is no JSON") from None
    except RecursionError:
        raise RequestError(f"--job: {path} is nested too deep") from None
    except ValueError:  # the only other one: Python reads no number of more than 4,300 digits
        raise RequestError(f"--job: {path} has a number of too many digits") from None
    try:
        return DEFAULT.read(answer)
    except GemAnswerError as error:
        raise RequestError(f"--job: {path} is not GEM's answer about a job: {error}") from None


def _effort(request: AuditRequest) -> AuditOptions:
    """Also before the file is read."""
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
        is_there = path.is_dir()
    except OSError as error:
        raise RequestError(f"--ids-folder: {path}: {error.strerror}") from None
    if not is_there:
        raise RequestError(f"--ids-folder: there is no folder {path}")


def _check_page(request: AuditRequest) -> None:
    """Before the file is read: afterwards it would be a pity."""
    if request.html is not None:
        read = (request.output, request.input, request.job)
        check_page_file(request.html, [source for source in read if source is not None])
    elif request.with_map:
        raise RequestError("--map needs --html, since the map is part of the page")


def _print(request: AuditRequest, report: Report, output: Source) -> None:
    if request.as_json:
        say_json(report_to_json(report))
    else:
        say(in_words(report, output, with_job=request.job is not None))


def _draw(path: Path, report: Report, output: Source, *, with_map: bool) -> bool:
    """Whether there is a page; says why not."""
    from gem_core.page.make import make_page  # noqa: PLC0415 - only where a page is wanted

    try:
        with ProgressLine(sys.stderr) as progress:
            progress.say("drawing the page")
            write_page_file(path, make_page(report, output, now(), with_map=with_map))
    except CourierError as error:
        complain(plain(f"no page: {error}"))
        return False
    return True
