"""Runs the command `audit`. Edge: terminal, files."""

import json
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path

from gem_core.audit.child.engine import Engine
from gem_core.audit.child.limits import MEMORY_IS_LIMITED, Limits
from gem_core.audit.child.machine import audit_bytes
from gem_core.audit.child.result import AuditResult, PageOptions
from gem_core.audit.options import (
    DISK_BYTES,
    LIMIT_BYTES,
    OVERTURE_BYTES,
    AuditOptions,
    IdLimits,
    OvertureLimits,
)
from gem_core.audit.overture.listing import find_release
from gem_core.audit.overture.release import NoRelease, Release
from gem_core.audit.reading.source import Source
from gem_core.audit.rows.progress import Pass
from gem_core.commands.exit_codes import INVALID, NO_PAGE, UNKNOWN, VALID
from gem_core.commands.open_source import open_source
from gem_core.commands.page_file import check_folder, check_output_file, write_page
from gem_core.commands.progress import ProgressLine
from gem_core.commands.report_text import report_lines
from gem_core.commands.table import plain, wrapped
from gem_core.commands.terminal import print_error, print_json, print_lines, terminal_width
from gem_core.errors import GemAnswerError, OutputMissing, RequestError
from gem_core.gem.contracts.known import DEFAULT, read
from gem_core.gem.job import GemJob, JobStatus
from gem_core.outcome import Outcome
from gem_core.page.words import number_of
from gem_core.settings.app_settings import MAX_FAILING_ROWS
from gem_core.wiring.environment import now, system_environment
from gem_core.wiring.overture import storage_of

NO_JOB = GemJob(job_run_id="", contract=DEFAULT.name, status_text="", answer={})
"""The job when there is no --job: its names and statistics are not compared."""

_A_DAY = 24 * 60 * 60.0
"""In seconds. A person waits and may press Ctrl-C, and may have a slow connection to storage."""


@dataclass(frozen=True, slots=True)
class AuditRequest:
    """The arguments of the command."""

    output: str
    """File or address, like `input`."""
    input: str | None = None
    job: Path | None = None
    as_json: bool = False
    failures: Path | None = None
    """The Parquet file for the failing rows."""
    show_all: bool = False
    """Whether the text lists the checks that were not run."""
    html: Path | None = None
    with_map: bool = True
    """Whether the page has a map."""
    with_values: bool = False
    """Whether to compare every value of the input's columns."""
    ids_memory_mib: int = LIMIT_BYTES >> 20
    ids_disk_mib: int = DISK_BYTES >> 20
    ids_folder: Path | None = None
    """None is the system's temporary directory."""
    in_process: bool = False
    """Whether to audit in this process, without limits."""
    overture: str | None = None
    """Address or folder; None does not look the GERS ids up."""
    overture_max_mib: int = OVERTURE_BYTES >> 20
    release: str | None = None
    """None is that of the job."""


def run(request: AuditRequest) -> int:
    """Audit the file, print the report, write the page. Returns the exit code.

    Raises:
        CourierError: the file cannot be audited; the message gives the reason.

    """
    _check_page(request)
    output, result = audited(request)
    # The report is printed before the page is written, so that it is never lost with the page.
    _print(request, result, output)
    written = [
        request.failures is None or _write_failures(request.failures, result),
        request.html is None or _write_page(request.html, result),
    ]
    return _exit_code(request, result) if all(written) else NO_PAGE


def audited(request: AuditRequest) -> tuple[Source, AuditResult]:
    """Audit the file. Raises CourierError."""
    options = _audit_options(request)
    job = _read_job(request.job) if request.job else NO_JOB
    if request.job:
        print_error("\n".join(f"--job: {warning}" for warning in _job_warnings(job)))
    if request.release:
        job = replace(job, overture_release=request.release)
    output = open_source(request.output)
    return output, _audit(request, job, output, options)


def _audit(
    request: AuditRequest, job: GemJob, output: Source, options: AuditOptions
) -> AuditResult:
    input_source = open_source(request.input) if request.input is not None else None
    page = PageOptions(now(), with_map=request.with_map) if request.html is not None else None
    if not MEMORY_IS_LIMITED and not request.in_process:
        print_error("this system does not limit the memory of an audit; the command watches it")
    last = Pass.COMPARED if request.with_values else Pass.CHECKED
    then = "judging, drawing the page" if page else "judging"
    with ProgressLine(sys.stderr, last=last, then=then) as progress, _auditor(request) as audit:
        return audit(
            output,
            job,
            input_source=input_source,
            input_note="there is no --input",
            on_rows=progress.rows,
            options=options,
            page=page,
            release=_release(request, job),
        )


def _release(request: AuditRequest, job: GemJob) -> Release | NoRelease | None:
    if request.overture is None:
        return None
    return find_release(storage_of(request.overture, "--overture"), job.overture_release)


@contextmanager
def _auditor(request: AuditRequest) -> Iterator[Callable[..., AuditResult]]:
    """What audits, as the app does or in this process."""
    if request.in_process:
        from gem_core.audit.child.in_process import audit_in_process  # noqa: PLC0415 - pyarrow

        yield audit_in_process
        return
    memory = audit_bytes(request.ids_memory_mib << 20)
    limits = Limits(memory, wall_seconds=_A_DAY, storage_seconds=_A_DAY)
    with Engine(limits, system_environment()) as engine:
        yield engine.audit


def _exit_code(request: AuditRequest, result: AuditResult) -> int:
    if result.outcome is Outcome.INVALID:
        return INVALID
    if result.outcome is Outcome.NOT_AUDITED:
        return UNKNOWN
    reasons = (result.input_left_out,) if result.input_left_out else result.not_compared
    if request.input is not None and reasons:
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
        return read(answer)
    except GemAnswerError as error:
        raise RequestError(f"--job: {path} is not GEM's answer about a job: {error}") from None


def _audit_options(request: AuditRequest) -> AuditOptions:
    """The options of the audit. Checks the arguments before the file is read."""
    if request.with_values and request.input is None:
        raise RequestError("--compare columns needs --input")
    if request.ids_folder is not None:
        check_folder(request.ids_folder, option="--ids-folder")
    limits = IdLimits(request.ids_memory_mib << 20, request.ids_folder, request.ids_disk_mib << 20)
    overture = OvertureLimits(request.overture_max_mib << 20) if request.overture else None
    return AuditOptions(
        limits,
        with_input=request.input is not None,
        with_values=request.with_values,
        overture=overture,
        failing_rows=MAX_FAILING_ROWS if request.failures is not None else 0,
    )


def _check_page(request: AuditRequest) -> None:
    """Check --html and --failures before a long audit starts."""
    if request.release and not request.overture:
        raise RequestError("--release needs --overture")
    read = [each for each in (request.output, request.input, request.job) if each is not None]
    if request.html is not None:
        check_output_file(request.html, read)
    if request.failures is not None:
        others = [*read, request.html] if request.html is not None else read
        check_output_file(request.failures, others, option="--failures")


def _print(request: AuditRequest, result: AuditResult, output: Source) -> None:
    if request.as_json:
        print_json(result.report)
    else:
        width = terminal_width()
        print_lines(report_lines(result.report, output, show_all=request.show_all, width=width))
        hints = _hints(request)
        print_lines(part for line in hints for part in wrapped(line, width, indent=2))


def _hints(request: AuditRequest) -> list[str]:
    """What was not compared because an option is absent."""
    no_input = "without --input: columns and ids were not compared with the input"
    no_job = "without --job: the job's names and statistics were not compared"
    return ([] if request.input else [no_input]) + ([] if request.job else [no_job])


def _write_failures(path: Path, result: AuditResult) -> bool:
    """Write the failing rows. If that fails, print the reason and return False."""
    problem = result.failures_problem
    if result.failures is not None:
        try:
            path.write_bytes(result.failures)
        except OSError as error:
            problem = f"--failures: {path}: {error.strerror}"
    if problem:
        print_error(plain(f"the failing rows were not written: {problem}"))
        return False
    said = f"{number_of(result.failing_rows, 'failing row')} written to {path}"
    print_error(plain(f"{said}: at most {MAX_FAILING_ROWS:,} of each check"))
    return True


def _write_page(path: Path, result: AuditResult) -> bool:
    """Write the page. If there is none, or that fails, print the reason and return False."""

    def page() -> str:
        if result.page is None:
            raise RequestError(result.page_problem)
        return result.page

    is_written = write_page(path, page)
    if is_written and result.map_note:
        print_error(plain(result.map_note))
    return is_written
