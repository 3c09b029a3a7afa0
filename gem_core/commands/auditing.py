"""The story of the command `audit`. Edge: terminal, files."""

import json
import re
import sys
from dataclasses import dataclass
from pathlib import Path

from gem_core.audit.address import parse_address
from gem_core.audit.audit import Effort, audit
from gem_core.audit.id_facts import LIMIT_BYTES, IdLimits
from gem_core.audit.report import Report
from gem_core.audit.source import Source, open_file
from gem_core.commands.progress import Progress
from gem_core.commands.text import in_words
from gem_core.errors import OutputMissing, RequestError
from gem_core.gem.job import GemJob, parse_job
from gem_core.outcome import Outcome
from gem_core.settings import MAX_IDS_MIB
from gem_core.wiring import now, open_address

VALID, INVALID = 0, 1

NO_JOB = GemJob(job_run_id="", status_text="", answer={})
"""Without --job nothing is known of the job: its names and statistics are not compared."""

_ADDRESS = re.compile(r"[a-z][a-z0-9+.-]+://", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Order:
    """What was asked for."""

    output: str
    """File or address, as the next one."""
    given: str | None = None
    job: Path | None = None
    as_json: bool = False
    html: Path | None = None
    with_map: bool = False
    with_values: bool = False
    """Whether to compare every value of the input's columns."""
    ids_memory_mib: int = LIMIT_BYTES >> 20
    ids_folder: Path | None = None
    """None is the system's temporary directory."""


def run(order: Order) -> int:
    """Audit, print, draw; gives the exit code.

    Raises:
        CourierError: it could not be audited, and why.

    """
    _check_page(order)
    effort = _effort(order)
    job = _read_job(order.job) if order.job else NO_JOB
    output = _open(order.output)
    given = _open(order.given) if order.given is not None else None
    with Progress(sys.stderr) as progress:
        report = audit(
            output,
            job,
            input_source=given,
            input_note="no --input was given",
            on_rows=progress.rows,
            effort=effort,
        )
        if order.html:
            progress.say("drawing the page")
            _write_page(order.html, report, output, with_map=order.with_map)
    if order.as_json:
        sys.stdout.write(json.dumps(report.to_json(), indent=1) + "\n")
    else:
        sys.stdout.write(in_words(report, output, with_job=order.job is not None, page=order.html))
    return INVALID if report.outcome is Outcome.INVALID else VALID


def _open(text: str) -> Source:
    return open_address(parse_address(text)) if _ADDRESS.match(text) else open_file(Path(text))


def _read_job(path: Path) -> GemJob:
    try:
        answer = json.loads(path.read_bytes())
    except FileNotFoundError:
        raise OutputMissing(f"--job: {path} is not there") from None
    except OSError as error:
        raise RequestError(f"--job: {path}: {error.strerror}") from None
    except ValueError:
        raise RequestError(f"--job: {path} is no JSON") from None
    told = answer.get("jobRunId") if isinstance(answer, dict) else None
    if not isinstance(told, str):
        raise RequestError(f"--job: {path} is no answer of GEM about a job: it has no jobRunId")
    return parse_job(answer, job_run_id=told)


def _effort(order: Order) -> Effort:
    """Also before the file is read."""
    if order.with_values and order.given is None:
        raise RequestError("--compare columns needs --input")
    if not 1 <= order.ids_memory_mib <= MAX_IDS_MIB:
        raise RequestError(f"--ids-memory is not a number of MiB from 1 to {MAX_IDS_MIB}")
    if order.ids_folder and not order.ids_folder.is_dir():
        raise RequestError(f"--ids-folder: there is no folder {order.ids_folder}")
    limits = IdLimits(order.ids_memory_mib << 20, order.ids_folder)
    return Effort(limits, with_values=order.with_values)


def _check_page(order: Order) -> None:
    """Before the file is read: afterwards it would be a pity."""
    if order.with_map and not order.html:
        raise RequestError("--map needs --html, since the map is part of the page")
    if not order.html:
        return
    if not order.html.parent.is_dir():
        raise RequestError(f"--html: there is no folder {order.html.parent}")
    if order.html.is_dir():
        raise RequestError(f"--html: {order.html} is a folder")
    for source in (order.output, order.given, order.job):
        if source is not None and order.html.resolve() == Path(source).resolve():
            raise RequestError(f"--html: {order.html} would be written over")


def _write_page(path: Path, report: Report, output: Source, *, with_map: bool) -> None:
    from gem_core.page.make import make_page  # noqa: PLC0415 - only where a page is wanted

    page = make_page(report, output, now(), with_map=with_map)
    try:
        path.write_bytes(page.encode(errors="replace"))
    except OSError as error:
        raise RequestError(f"--html: {path}: {error.strerror}") from None
